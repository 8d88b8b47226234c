//! The Auction: asks every bidder that is in the registry, and takes the highest bid.
//!
//! | To see | read |
//! |---|---|
//! | how bidders are asked | [`Auctioneer`] |
//! | who won, and why the others did not | [`Award`] |

mod auctioneer;
mod award;

pub use auctioneer::{Auctioneer, Bidding, Bids, Terms};
pub use award::{Award, Standing, bidder_name};
