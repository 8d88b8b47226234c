//! Asking the bidders.

use std::sync::Arc;
use std::time::Duration;

use mainstay::contracts::bidding::{self, Ask, Offer};
use mainstay::gather::{Gathered, Gathering};
use mainstay::{Address, BuildError, Client, Completion, Error, ErrorKind, Instance, Presence};

/// The bids of an auction under way, one leg for each bidder.
pub type Bidding = Gathering<Arc<Instance>, u64>;

/// The bids of an auction that is over.
pub type Bids = Gathered<Arc<Instance>, u64>;

/// Asks the bidders, through one client that remembers which of them hang. Clones share it.
#[derive(Debug, Clone)]
pub struct Auctioneer {
    bidders: Client<bidding::Bidding>,
}

/// How an auction ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terms {
    /// The longest it may take.
    pub deadline: Duration,
    /// When enough bids are there.
    pub completion: Completion,
}

impl Default for Terms {
    /// One second, and everybody is heard.
    fn default() -> Self {
        Self { deadline: Duration::from_secs(1), completion: Completion::All }
    }
}

impl Auctioneer {
    /// Finds the bidders through the registry at this address, from now on.
    ///
    /// # Errors
    /// Outside of a tokio runtime.
    pub fn new(registry: Address) -> Result<Self, BuildError> {
        Ok(Self { bidders: Client::builder().registry(registry).build()? })
    }

    /// The client, for whoever wants to see what it knows.
    pub fn client(&self) -> &Client<bidding::Bidding> {
        &self.bidders
    }

    /// Asks everybody that is in the registry now. What is no bid is rejected while the others compete.
    ///
    /// # Errors
    /// When there is nobody to ask.
    pub async fn open(&self, lot: Ask, terms: Terms) -> Result<Bidding, Error> {
        let Terms { deadline, completion } = terms;
        self.bidders.gather(lot).judge(Offer::bid).deadline(deadline).complete(completion).start().await
    }

    /// When it may be worth asking again, if that is known: at the next retest of a bidder's breaker.
    pub fn retest_in(&self) -> Option<Duration> {
        let bidders = self.bidders.snapshot().instances.into_iter();
        bidders.filter(|view| view.presence != Presence::Gone).filter_map(|view| view.breaker.retest_in).min()
    }

    /// Why an auction that did not even begin did not.
    pub fn why_nobody(&self, error: &Error) -> String {
        let lost = self.bidders.snapshot().registry.filter(|registry| !registry.reachable);
        match (error.kind(), lost) {
            (ErrorKind::NoInstance, Some(registry)) => {
                format!("no bidder is known: the registry at {} cannot be reached", registry.address)
            }
            (ErrorKind::Deadline, Some(registry)) => {
                let (address, waited) = (registry.address, error.elapsed().as_millis());
                format!("no bidder is known: the registry at {address} has not answered within {waited} ms")
            }
            (ErrorKind::NoInstance, None) => "no bidder is registered".to_owned(),
            _ => error.to_string(),
        }
    }
}
