//! What crosses the wire between Mainstay's services, and nothing else: no I/O, no runtime.
//!
//! A **contract** says which calls a service answers *and how its clients behave*. Client and server
//! are both written against it, so they cannot drift apart.
//!
//! | To see | read |
//! |---|---|
//! | what a contract is | [`Service`], [`Call`], [`Policy`] |
//! | one, whole | [`ratings`] |
//! | one whose instances are not trusted, and who asks them all | [`bidding`], [`auction`] |
//! | what is told on a topic, and who keeps it | [`Message`], [`hub`] |
//! | services that work by messages | [`quotes`], [`tasks`], [`sensors`] |
//! | how a call becomes a request, and back | [`wire`] |
//! | how services are found | [`registry`] |

mod address;
pub mod auction;
pub mod bidding;
pub mod hub;
pub mod message;
mod policy;
pub mod quotes;
pub mod ratings;
mod refusal;
pub mod registry;
pub mod sensors;
mod service;
pub mod tasks;
pub mod wire;

pub use address::{Address, BadAddress};
pub use http::Method;
pub use message::{BadMessage, Envelope, Message};
pub use policy::{BadPolicy, Idempotence, Policy, PolicyBuilder};
pub use refusal::Refusal;
pub use service::{Call, Service};
