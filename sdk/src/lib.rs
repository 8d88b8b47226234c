//! **Call services that come and go.**
//!
//! A [`Client`] finds the instances of a service by name, spreads calls over them, steps around those that
//! fail, retests them, and answers with the last good value when nobody is left. A [`Registration`] is the
//! other side: it keeps an instance known for as long as it lives.
//!
//! ```no_run
//! use mainstay::Client;
//! use mainstay::contracts::ratings::{GetRating, Ratings};
//!
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! let client = Client::<Ratings>::builder().registry("http://127.0.0.1:8500".parse()?).build()?;
//! let rating = client.call(GetRating::new("camera")).await?;
//! # Ok(())
//! # }
//! ```
//!
//! # Contents, in the order to read
//!
//! | Module | Holds |
//! |---|---|
//! | `instance` | what a client remembers of one instance |
//! | `discover` | who is there: a fixed list, or a registry's watch |
//! | `balance` | who is next |
//! | [`breaker`] | who is stepped around: Closed, Open, HalfOpen |
//! | `probe` | who is tested again, and when |
//! | `transport` | the connections of one instance |
//! | `cache` | the last good answers |
//! | `call` | all of these for one call |
//! | [`gather`] | many calls: an outcome for each, in time |
//! | `client` | what an application holds |
//! | `error` | why there is no live answer |
//! | `observe` | what a page is drawn from: [`Snapshot`], [`Events`] |
//! | `register` | being there: [`Registration`], [`Lease`] |
//! | `registries` | which registry is asked, of several |
//! | `sync` | what threads meet at: the ordinary types, or those of the models |
//! | [`serve`] (feature `serve`) | answering the calls of a contract with axum |
//! | [`testing`] (feature `testing`) | a simulated network, for tests under paused time |
//! | [`tower`] (feature `tower`) | a client as a `tower` service |
//!
//! Feature `tls`: instances and registries at `https` addresses, see [`ClientBuilder`]. Feature `http2`: one connection
//! for all calls of an instance, where the [`Policy`] says so.
//!
//! # What is logged
//!
//! By `tracing`, one line each, at the instant it happens:
//!
//! | Target | Level | Lines |
//! |---|---|---|
//! | `mainstay::call` | debug | `ratings using instance 1: http://127.0.0.1:8001` |
//! | `mainstay::call` | warn | an `https` instance of a client without TLS |
//! | `mainstay::discover` | warn | a list that differs from the registry's own, a registry that denies, what cannot be remembered |
//! | `mainstay::event` | info | `OPEN`, `RETEST`, `CLOSE`, `UP`, `SILENT`, `SUSPECT`, `DRAINING`, `GONE`, `REGISTRY` (see [`Event`]) |
//! | `mainstay::probe` | warn | a health path that answers 4xx |
//! | `mainstay::lease` | info, warn | an instance's own registration |
//! | `mainstay::serve` | warn | connections that could not be accepted, requests dropped at the end |

mod backoff;
mod balance;
pub mod breaker;
mod cache;
mod call;
mod client;
mod discover;
mod error;
mod frames;
pub mod gather;
mod instance;
#[cfg(feature = "internals")]
#[doc(hidden)]
pub mod internals;
#[cfg(all(test, mainstay_loom))]
mod models;
mod observe;
mod patience;
mod probe;
mod register;
mod registries;
#[cfg(feature = "serve")]
pub mod serve;
mod sync;
#[cfg(feature = "testing")]
pub mod testing;
#[cfg(feature = "tower")]
pub mod tower;
mod transport;

pub use mainstay_contracts as contracts;
pub use mainstay_contracts::registry::{GoneReason, Instance, InstanceId, Presence};
pub use mainstay_contracts::{Address, Call, Idempotence, Method, Policy, Refusal, Service};

pub use self::breaker::BreakerState;
pub use self::call::{Fetched, Origin};
pub use self::client::{BuildError, Client, ClientBuilder};
pub use self::error::{Error, ErrorKind};
pub use self::gather::{Completion, Gather, Gathered, Gathering, Leg};
pub use self::observe::{BreakerView, CallCounts, Event, EventKind, Events, InstanceView, RegistryView, Snapshot};
pub use self::register::{Lease, Registration};
