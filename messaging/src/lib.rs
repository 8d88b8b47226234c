//! Messages: what is told on a topic is still there when whoever consumes it comes back.
//!
//! A message is published to a topic. Every channel of the topic gets a copy, and the consumers of one channel share
//! what it gets. A consumer settles each delivery; what is not settled in time is delivered again, and what cannot be
//! consumed goes to the dead letters. So a message is delivered at least once; that its effect comes once is the
//! consumer's part, and the message's id is there for it. Only a channel that is not [kept](Rules::kept), as those for
//! replies are, delivers once at most.
//!
//! | To see | read |
//! |---|---|
//! | how to publish, consume and ask | [`Messages`] |
//! | where messages are kept, by one setting | [`Messages::open`] |
//! | a consumer, its deliveries, and a loop for both | [`Consumer`], [`Delivery`] |
//! | replies by correlation | [`Asker`] |
//! | why not | [`Error`] |
//! | messages for several processes | [`hub`] |
//! | what every engine does | `engine` |
//! | how messages of several callers share one trip | `batch` |

mod asker;
mod batch;
mod consumer;
mod engine;
mod error;
pub mod hub;
mod messages;

pub use asker::Asker;
pub use consumer::{Consumer, Delivery, Failed};
pub use error::Error;
pub use mainstay::contracts::hub::Rules;
pub use mainstay::contracts::{Envelope, Message};
pub use messages::{Messages, Taken};

/// The README's examples are tests: here, as its messages are.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
