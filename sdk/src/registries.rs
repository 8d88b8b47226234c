//! The registries that may be asked. One of them is in use; when it fails, the next one is.

use std::sync::Arc;
use std::time::Duration;

use mainstay_contracts::Address;

use crate::backoff::Backoff;
use crate::transport::{Connections, Network};

/// How many can be named.
pub(crate) const MOST: usize = 16;

pub(crate) struct Registries {
    all: Vec<(Address, Arc<Connections>)>,
    in_use: usize,
    /// How many have failed, one after the other.
    failed: usize,
    backoff: Backoff,
}

impl Registries {
    /// Of 1 to [`MOST`]; otherwise none. Begins with any of them: many who start together must not all ask the first.
    pub(crate) fn new(addresses: &[Address], network: &Network) -> Option<Self> {
        let connect = |address: &Address| (address.clone(), Arc::new(Connections::new(address, network)));
        (1..=MOST).contains(&addresses.len()).then(|| Self {
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
        let mut registries = Registries::new(&addresses, &Network::default()).unwrap();
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
        assert!(Registries::new(&[], &Network::default()).is_none());
        assert!(Registries::new(&vec![addresses[0].clone(); 17], &Network::default()).is_none());
        let mut one = Registries::new(&addresses[..1], &Network::default()).unwrap();
        assert!((0..3).all(|_| one.next().is_some()));
    }
}
