//! The registries that may be asked. One of them is in use; when it fails, the next one is.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::HeaderValue;
use mainstay_contracts::Address;

use crate::backoff::Backoff;
use crate::transport::{Connections, Network};

/// How many can be named.
const MOST: usize = 16;

/// What a registry knows whoever asks it by. Nobody gets to see it otherwise.
#[derive(Clone)]
pub(crate) struct Token(Option<HeaderValue>);

impl Token {
    pub(crate) fn new(text: &str) -> Self {
        let is_fit = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
        let mut header = is_fit.then(|| HeaderValue::from_str(&format!("Bearer {text}")).ok()).flatten();
        header.iter_mut().for_each(|header| header.set_sensitive(true));
        Self(header)
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

/// Why there is no registry to ask.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Unusable {
    /// So many were named.
    Count(usize),
    /// The token is none that can be sent.
    Token,
}

impl fmt::Display for Unusable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Count(named) => write!(f, "1 to {MOST} registries can be named, and these are {named}"),
            Self::Token => f.write_str("a token is made of visible characters of ASCII"),
        }
    }
}

pub(crate) struct Registries {
    all: Vec<(Address, Arc<Connections>)>,
    in_use: usize,
    /// How many have failed, one after the other.
    failed: usize,
    backoff: Backoff,
}

impl Registries {
    /// Begins with any of them: many who start together must not all ask the first.
    pub(crate) fn new(addresses: &[Address], network: &Network, token: Option<Token>) -> Result<Self, Unusable> {
        if !(1..=MOST).contains(&addresses.len()) {
            return Err(Unusable::Count(addresses.len()));
        }
        let token = token.map(|Token(header)| header.ok_or(Unusable::Token)).transpose()?;
        let connect =
            |address: &Address| (address.clone(), Arc::new(Connections::of_registry(address, network, token.as_ref())));
        Ok(Self {
            all: addresses.iter().map(connect).collect(),
            in_use: fastrand::usize(..addresses.len()),
            failed: 0,
            backoff: Backoff::new(),
        })
    }

    pub(crate) fn address(&self) -> &Address {
        &self.all[self.in_use].0
    }

    pub(crate) fn connections(&self) -> &Arc<Connections> {
        &self.all[self.in_use].1
    }

    /// The one in use has done so for a while. Not to be said of one that has only opened a stream: streams that open
    /// and end would otherwise follow each other without a pause.
    pub(crate) fn works(&mut self) {
        self.failed = 0;
        self.backoff.reset();
    }

    /// The one in use has failed. Says how long to wait before the next one: not at all, until all have been tried.
    pub(crate) fn next(&mut self) -> Option<Duration> {
        self.in_use = (self.in_use + 1) % self.all.len();
        self.failed += 1;
        self.failed.is_multiple_of(self.all.len()).then(|| self.backoff.next())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_are_tried_before_anybody_waits() {
        let addresses = [1, 2, 3].map(|port| format!("127.0.0.1:{port}").parse().unwrap());
        let mut registries = Registries::new(&addresses, &Network::default(), None).unwrap();
        for _ in 0..2 {
            let mut ports = Vec::new();
            let mut pauses = Vec::new();
            for _ in 0..6 {
                ports.push(registries.address().port());
                pauses.push(registries.next().is_some());
            }
            ports.sort_unstable();
            assert_eq!(ports, [1, 1, 2, 2, 3, 3]);
            assert_eq!(pauses, [false, false, true, false, false, true]);
            assert!(registries.next().is_none());
            registries.works();
        }
        let refused = |addresses: &[Address], token: Option<&str>| {
            Registries::new(addresses, &Network::default(), token.map(Token::new)).err()
        };
        assert_eq!(refused(&[], None), Some(Unusable::Count(0)));
        assert_eq!(refused(&vec![addresses[0].clone(); 17], None), Some(Unusable::Count(17)));
        for unfit in ["", "a b", "a\nb", "ä"] {
            assert_eq!(refused(&addresses, Some(unfit)), Some(Unusable::Token), "{unfit:?}");
        }
        assert_eq!(refused(&addresses, Some("s3cr3t")), None);
        assert_eq!(format!("{:?}", Token::new("s3cr3t")), "Token(…)");
        let mut one = Registries::new(&addresses[..1], &Network::default(), None).unwrap();
        assert!((0..3).all(|_| one.next().is_some()));
    }
}
