//! The Market's clients: one for the ratings, one for the bidders. Both find their instances through one registry.

use std::io;

use auction::Auctioneer;
use mainstay::{Address, BreakerState, Events, InstanceView, Presence, Snapshot};

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

    /// Resolves when the instances of these numbers are up and their breakers closed. Those of the unhealthy need not
    /// be: they are closed at first, but stay open where an earlier instance left them so.
    pub(crate) async fn answering(&self, kind: Kind, numbers: &[u32], healthy: bool) {
        // Listening starts before looking, so that nothing happens in between unheard.
        let mut events = self.events(kind);
        while !all_answer(&self.snapshot(kind).instances, numbers, healthy) && events.next().await.is_some() {}
    }
}

fn all_answer(known: &[InstanceView], numbers: &[u32], healthy: bool) -> bool {
    numbers.iter().all(|number| {
        known.iter().any(|view| {
            view.instance.number == *number
                && view.presence == Presence::Up
                && (!healthy || view.breaker.state == BreakerState::Closed)
        })
    })
}
