//! Who is there: services register their instances, and whoever watches knows of every change at once.
//!
//! The protocol is [`mainstay_contracts::registry`]. What the registry knows it keeps in memory: when it
//! restarts, held instances come back by themselves and the others with their next beat.
//!
//! | To see | read |
//! |---|---|
//! | when an instance is up, silent or gone | `roster` |
//! | how watchers and lease connections follow it | `directory` |
//! | what is answered, and how requests are refused | `http` |
//! | how connections are bounded and ended | `serve` |
//!
//! It asks nobody who they are, so the program listens on a loopback address unless it is told otherwise.

mod config;
mod directory;
mod http;
mod line;
mod roster;
mod run;
mod serve;

pub use config::{Config, Limits};
pub use run::run;
