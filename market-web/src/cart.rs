//! One browser's cart.
//!
//! The cookie holds the ids themselves, so the server keeps nothing: no session to expire, to share by
//! mistake or to fill the memory with. A cookie anybody wrote by hand can only name things on offer.

use std::collections::BTreeSet;
use std::fmt;

use crate::catalog::{self, Thing, UnknownThing};
use crate::money::Cents;

const COOKIE: &str = "cart";

/// At most one of each thing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Cart(BTreeSet<&'static str>);

/// What a form asks of a cart.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Order {
    Add(String),
    Remove(String),
    Checkout,
}

/// Why a cart stays as it is.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum CartRefused {
    Unclear(&'static str),
    Unknown(UnknownThing),
    AlreadyIn,
    NotIn,
    Empty,
}

impl Cart {
    /// The cart in a `Cookie` header; what it names and we do not sell is left out.
    pub(crate) fn from_cookie(header: &str) -> Self {
        let value = header.split(';').filter_map(|pair| pair.trim().split_once('=')).find(|(name, _)| *name == COOKIE);
        let ids = value.map(|(_, ids)| ids).unwrap_or_default().split('.');
        Self(ids.filter_map(|id| catalog::find(id).ok()).map(|thing| thing.id).collect())
    }

    /// The `Set-Cookie` header that keeps this cart.
    pub(crate) fn to_cookie(&self) -> String {
        let ids = self.0.iter().copied().collect::<Vec<_>>().join(".");
        let age = if ids.is_empty() { "; Max-Age=0" } else { "; Max-Age=2592000" };
        format!("{COOKIE}={ids}; Path=/; HttpOnly; SameSite=Lax{age}")
    }

    /// What is in it, sorted by id.
    pub(crate) fn things(&self) -> impl Iterator<Item = &'static Thing> {
        catalog::THINGS.iter().filter(|thing| self.0.contains(thing.id))
    }

    /// Whether this thing is in it.
    pub(crate) fn has(&self, id: &str) -> bool {
        self.0.contains(id)
    }

    /// Whether nothing is in it.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What all of it costs.
    pub(crate) fn total(&self) -> Cents {
        self.things().map(|thing| thing.price).sum()
    }

    /// Carries out an order; the answer is what to tell the customer. A refused order changes nothing.
    pub(crate) fn apply(&mut self, order: &Order) -> Result<&'static str, CartRefused> {
        match order {
            Order::Add(id) => {
                let id = catalog::find(id).map_err(CartRefused::Unknown)?.id;
                self.0.insert(id).then_some("Item added successfully!").ok_or(CartRefused::AlreadyIn)
            }
            Order::Remove(id) => {
                let id = catalog::find(id).map_err(CartRefused::Unknown)?.id;
                self.0.remove(id).then_some("Item removed successfully!").ok_or(CartRefused::NotIn)
            }
            Order::Checkout if self.is_empty() => Err(CartRefused::Empty),
            Order::Checkout => {
                self.0.clear();
                Ok("Successfully checked out your items!")
            }
        }
    }
}

impl Order {
    /// Reads a form: `camera=x&addCart=1`, `camera=x&removeCart=1` or `checkout=Checkout`. The thing is a
    /// field's name; its value does not matter.
    pub(crate) fn from_form(body: &[u8]) -> Result<Self, CartRefused> {
        let fields: Vec<(String, String)> =
            serde_urlencoded::from_bytes(body).map_err(|_| CartRefused::Unclear("The form could not be read."))?;
        let has = |name: &str| fields.iter().any(|(field, _)| field == name);
        let mut things = fields.iter().map(|(name, _)| name).filter(|name| !VERBS.contains(&name.as_str()));
        let thing = match (things.next(), things.next()) {
            (thing, None) => thing.cloned(),
            _ => return Err(CartRefused::Unclear("The form names more than one thing.")),
        };
        match (VERBS.map(has), thing) {
            ([true, false, false], Some(thing)) => Ok(Self::Add(thing)),
            ([false, true, false], Some(thing)) => Ok(Self::Remove(thing)),
            ([false, false, true], None) => Ok(Self::Checkout),
            ([true, false, false] | [false, true, false], None) => {
                Err(CartRefused::Unclear("The form names no thing."))
            }
            _ => Err(CartRefused::Unclear("The form must say one of addCart, removeCart and checkout.")),
        }
    }
}

const VERBS: [&str; 3] = ["addCart", "removeCart", "checkout"];

impl fmt::Display for CartRefused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unclear(why) => f.write_str(why),
            Self::Unknown(thing) => thing.fmt(f),
            Self::AlreadyIn => f.write_str("Item could not be added."),
            Self::NotIn => f.write_str("Item could not be removed."),
            Self::Empty => f.write_str("Your cart is empty: there is nothing to check out."),
        }
    }
}

#[cfg(test)]
mod tests;
