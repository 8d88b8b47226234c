//! The Auction: asks every bidder that is in the registry, and takes the highest bid.
//!
//! | To see | read |
//! |---|---|
//! | how bidders are asked | [`Auctioneer`] |
//! | who won, and why the others did not | [`Award`] |
//! | the service, `POST /auction/setAuction` | [`run`], `http` |
//! | its answer with every leg, as the service and the command tell it | `report` |
//! | bidders, good ones and bad ones | [`bidder`] |
//! | the command line, `auction ask` | [`Args`], `command` |
//! | what the programs have in common | `program` |

mod auctioneer;
mod award;
pub mod bidder;
mod command;
mod http;
mod program;
mod report;
mod run;

pub use auctioneer::{Auctioneer, Bidding, Bids, Terms};
pub use award::{Award, Ending, Standing, bidder_name};
pub use command::Args;
pub use run::{Config, run, run_with};
