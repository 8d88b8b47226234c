//! A registry that is killed, stopped or cut off under load, and what must hold all the same.
//!
//! The rounds here are few; `scripts/test --kills` runs twenty, and prints their numbers.

mod client;
mod engines;
mod follower;
mod full;
mod kills;
mod losses;
#[cfg(feature = "etcd")]
mod partition;
mod process;
mod promises;
#[cfg(feature = "etcd")]
mod replicas;
mod stalls;
