//! The Market's clients: one for the ratings, one for the bidders. Both find their instances through one registry.

use std::collections::BTreeMap;
use std::io;

use auction::Auctioneer;
use mainstay::{Address, BreakerState, Events, Presence, Snapshot};

use crate::kind::Kind;
use crate::ratings::Ratings;

/// The clients that requests share.
#[derive(Debug, Clone)]
pub(crate) struct Clients {
    pub(crate) ratings: Ratings,
    pub(crate) auctioneer: Auctioneer,
}

impl Clients {
    /// Clients that find the instances through this registry.
    pub(crate) fn new(registry: Address) -> io::Result<Self> {
        let auctioneer = Auctioneer::new(registry.clone()).map_err(io::Error::other)?;
        Ok(Self { ratings: Ratings::new(registry)?, auctioneer })
    }

    /// What is known of the instances of a kind. Reading it changes nothing.
    pub(crate) fn snapshot(&self, kind: Kind) -> Snapshot {
        match kind {
            Kind::Ratings => self.ratings.client().snapshot(),
            Kind::Bidders => self.auctioneer.client().snapshot(),
        }
    }

    fn events(&self, kind: Kind) -> Events {
        match kind {
            Kind::Ratings => self.ratings.client().events(),
            Kind::Bidders => self.auctioneer.client().events(),
        }
    }

    /// Who is where, to tell an instance that is started from the one that was there before it.
    pub(crate) fn known(&self, kind: Kind) -> Known {
        let instances = self.snapshot(kind).instances.into_iter();
        let present = instances.filter(|view| view.presence != Presence::Gone);
        Known(
            present
                .map(|view| (view.instance.address.clone(), (view.instance.number, view.instance.incarnation)))
                .collect(),
        )
    }

    /// Resolves when new instances at these addresses are up and their breakers closed. Those of the unhealthy need not
    /// be: they are closed at first, but stay open where an earlier instance left them so.
    pub(crate) async fn answering(&self, kind: Kind, addresses: &[Address], before: &Known, healthy: bool) {
        // Listening starts before looking, so that nothing happens in between unheard.
        let mut events = self.events(kind);
        let answers = |snapshot: &Snapshot, address: &Address| {
            snapshot.instances.iter().any(|view| {
                view.instance.address == *address
                    && before.incarnation(address) != Some(view.instance.incarnation)
                    && view.presence == Presence::Up
                    && (!healthy || view.breaker.state == BreakerState::Closed)
            })
        };
        let all_answer = || {
            let snapshot = self.snapshot(kind);
            addresses.iter().all(|address| answers(&snapshot, address))
        };
        while !all_answer() && events.next().await.is_some() {}
    }
}

/// Number and incarnation of the instance at each address.
#[derive(Debug, Default)]
pub(crate) struct Known(BTreeMap<Address, (u32, u64)>);

impl Known {
    /// Whether this number belongs to an instance at another address.
    pub(crate) fn is_taken(&self, number: u32, address: &Address) -> bool {
        self.0.iter().any(|(other, (taken, _))| *taken == number && other != address)
    }

    fn incarnation(&self, address: &Address) -> Option<u64> {
        self.0.get(address).map(|(_, incarnation)| *incarnation)
    }
}
