//! The Auction: asks every bidder that is in the registry, and takes the highest bid.
//!
//! Next door, with a program each: [`quotes`] asks every provider by message, and collects what comes back later;
//! [`provider`] is who is asked.
//!
//! | To see | read |
//! |---|---|
//! | how bidders are asked | [`Auctioneer`] |
//! | who won, and why the others did not | [`Award`] |
//! | the service | [`run()`], `http` |
//! | its answer with every leg, as the command tells it too | `report` |
//! | bidders, good ones and bad ones | [`bidder`] |
//! | the command line, `auction ask` | [`Args`], `command` |
//! | what the programs have in common | `program`, `elsewhere`, `channel` |
//!
//! # What the service answers
//!
//! | `POST /auction/setAuction`, `{"Item":"car","Condition":"good"}` | is answered |
//! |---|---|
//! | somebody bids | 200 `{"Bidder Name":"Bidder 2","Bid":470000}` |
//! | somebody was heard, and nobody bids | 404, as at any other path |
//! | no bidder can be reached, or their bids are no quorum | 503, with `Retry-After` when a retest is due |
//! | another content type than JSON | 415 |
//! | not JSON; no item or no condition; a parameter that is wrong | 400 |
//! | another method than POST | 405 |
//!
//! All but the first say why: `{"Message":"…"}`. What is refused before it is read says `{"reason":"…"}`: a body that is
//! larger than 64 KiB (413), or takes longer than 10 s (408).
//!
//! | Parameter | Default | |
//! |---|---|---|
//! | `detail=true` | `false` | tells every leg |
//! | `deadline_ms=1..=10000` | 1000 | counted from when the request was read |
//! | `first=N`, `quorum=N` or `quorum=majority` | all are heard | a [`Completion`](mainstay::Completion); N to 1000 |
//!
//! However long the deadline, a bidder has its contract's timeout, one second.
//!
//! With `detail=true`, the status is the same, and the answer goes on after what it is without:
//!
//! ```json
//! {
//!   "Bidder Name": "Bidder 2", "Bid": 470000,
//!   "Summary": "2 of 3 within 1000 ms", "Deadline ms": 1000, "Elapsed ms": 1000,
//!   "Ranking": [{ "Bidder Name": "Bidder 2", "Bid": 470000 }, { "Bidder Name": "Bidder 1", "Bid": 350000 }],
//!   "Legs": [
//!     { "Bidder Name": "Bidder 1", "Number": 1, "Address": "http://127.0.0.1:9091/bidders/bidder1",
//!       "Outcome": "bid", "Bid": 350000, "Rank": 2, "Why": "Bidder 2 bid 470000", "Elapsed ms": 3 },
//!     { "Bidder Name": "Bidder 2", "Number": 2, "Address": "http://127.0.0.1:9091/bidders/bidder2",
//!       "Outcome": "bid", "Bid": 470000, "Rank": 1, "Why": "won", "Elapsed ms": 4 },
//!     { "Bidder Name": "Bidder 3", "Number": 3, "Address": "http://127.0.0.1:9091/bidders/bidder3",
//!       "Outcome": "timed-out", "Why": "timed out", "Elapsed ms": 1000 }
//!   ]
//! }
//! ```
//!
//! An outcome is one of `bid`, `declined`, `rejected`, `timed-out`, `refused`, `failed`, `skipped` and `cancelled`. A
//! leg without a bid has no `Bid` and no `Rank`.

mod auctioneer;
mod award;
pub mod bidder;
mod channel;
mod command;
mod elsewhere;
mod http;
mod json;
mod program;
pub mod provider;
pub mod quotes;
mod report;
mod run;

pub use auctioneer::{Auctioneer, Bidding, Bids, Terms};
pub use award::{Award, Ending, Standing, bidder_name};
pub use command::Args;
pub use run::{Config, run, run_with};
