//! The ratings service: `GET /ratings/{thing}` says how well people like a thing.
//!
//! It is also the smallest whole example of a service that offers itself through Mainstay: a table of
//! answers, a router made from its contract, a registration.
//!
//! | To see | read |
//! |---|---|
//! | what it answers | `ratings` |
//! | how it appears in the registry, and leaves | [`run`] |
//! | what a connection may cost | [`mainstay::serve::Limits`] |
//! | how it is started | [`Args`] |

mod args;
mod plan;
mod ratings;
mod run;

pub use args::{Args, BadArgs};
pub use plan::{CannotListen, Plan, take_ports};
pub use run::{Config, run};
