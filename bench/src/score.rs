//! The score card: what breakers do when it matters, each found out by running it.
//!
//! | Module | Holds |
//! |---|---|
//! | [`peer`] | what a breaker is to the card: calls go through it |
//! | [`peers`] | the breakers, one file each, and why each is set up as it is |
//! | [`bed`] | calls that are held open, failed and cancelled at will |
//! | [`scenarios`] | what is tried, one file each |
//! | [`instance`] | a real instance on loopback |
//! | [`card`] | all scenarios for all peers |
//! | [`balance`] | what is shared out how, with one bad instance of three |
//! | [`table`] | the card as text |

pub mod balance;
pub mod bed;
pub mod card;
pub mod instance;
pub mod peer;
pub mod peers;
pub mod scenarios;
pub mod table;
