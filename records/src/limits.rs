//! What may be written at all: everything that grows has a bound.

use mainstay_messaging::Envelope;
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};

use crate::Error;

pub(crate) use mainstay_contracts::message::{BODY_LIMIT, NAME_LIMIT};

/// Longer ones would not fit into PostgreSQL's index.
pub(crate) const FINGERPRINT_LIMIT: usize = 1024;
pub(crate) const STEPS_LIMIT: usize = 100;
pub(crate) const WAITERS_LIMIT: usize = 1000;
pub(crate) const OUTBOX_LIMIT: u32 = 100_000;
pub(crate) const PAGE_LIMIT: u32 = 1000;

/// As JSON, if it is not too long.
pub(crate) fn json(what: &str, value: &impl Serialize) -> Result<Box<RawValue>, Error> {
    let json =
        to_raw_value(value).map_err(|error| Error::bad(format!("the {what} cannot be written as JSON: {error}")))?;
    match json.get().len() {
        0..=BODY_LIMIT => Ok(json),
        long => Err(Error::bad(format!("a {what} of {long} bytes is longer than {BODY_LIMIT}"))),
    }
}

/// A name or a fingerprint: printable, so that every store keeps it as it is.
pub(crate) fn text(what: &str, text: &str, limit: usize) -> Result<(), Error> {
    match text.len() {
        0 => Err(Error::bad(format!("the {what} is empty"))),
        long if long > limit => Err(Error::bad(format!("the {what} has {long} bytes, more than {limit}"))),
        _ if text.chars().any(char::is_control) => {
            Err(Error::bad(format!("the {what} has a control character: {text:?}")))
        }
        _ => Ok(()),
    }
}

pub(crate) fn name(what: &str, name: &str) -> Result<(), Error> {
    text(what, name, NAME_LIMIT)
}

/// Envelopes that would be refused for ever are refused here, where somebody is told.
pub(crate) fn envelopes<'a>(envelopes: impl IntoIterator<Item = &'a Envelope>) -> Result<(), Error> {
    envelopes.into_iter().try_for_each(|envelope| envelope.check().map_err(Error::bad))
}

pub(crate) fn steps(steps: usize) -> Result<(), Error> {
    match steps {
        0..=STEPS_LIMIT => Ok(()),
        _ => Err(Error::full(format!("a record has {STEPS_LIMIT} steps at most"))),
    }
}

pub(crate) fn waiters(waiters: usize) -> Result<(), Error> {
    match waiters {
        0..=WAITERS_LIMIT => Ok(()),
        _ => Err(Error::full(format!("{WAITERS_LIMIT} wait for this request already"))),
    }
}
