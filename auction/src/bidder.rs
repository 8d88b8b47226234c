//! Bidders: `POST /bidders/bidder2` says what bidder 2 would pay.
//!
//! Each is registered by itself (service `bidders`, id `bidder2`, number 2, address
//! `http://host:port/bidders/bidder2`), so that some may share a process and others run alone: for an auction there
//! is no difference.
//!
//! | To see | read |
//! |---|---|
//! | what a bidder pays for which condition | [`Bids`] |
//! | how a bidder misbehaves, for others to show how they take it | [`Manner`] |
//! | what it answers | `answer` |
//! | how bidders appear in the registry, and leave | [`run()`] |
//! | how they are started | [`Args`] |

mod answer;
mod args;
mod bids;
mod manner;
mod run;

use std::time::Duration;

pub use self::args::Args;
pub use self::bids::{BadBids, Bids};
pub use self::manner::{BadManner, Manner};
pub use self::run::{Config, LONGEST_ANSWER, run};

/// One bidder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bidder {
    /// Its own number, the same across restarts: it is registered as `bidder<number>`.
    pub number: u32,
    /// What it pays.
    pub bids: Bids,
    /// How long it thinks before each answer; longer than [`LONGEST_ANSWER`], and the answer is 503.
    pub delay: Duration,
    /// How it behaves.
    pub manner: Manner,
}

impl Bidder {
    /// The bidder of this number, with its [usual bids](Bids::of), which answers at once.
    pub fn new(number: u32) -> Self {
        Self { number, bids: Bids::of(number), delay: Duration::ZERO, manner: Manner::Bids }
    }

    /// What it calls itself, such as `Bidder 2`.
    pub fn name(&self) -> String {
        format!("Bidder {}", self.number)
    }

    /// Where it is found below its host and port, such as `/bidders/bidder2`.
    pub fn path(&self) -> String {
        format!("/bidders/{}", self.id())
    }

    fn id(&self) -> String {
        format!("bidder{}", self.number)
    }
}
