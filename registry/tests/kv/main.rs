//! Keys, sessions and locks, as Consul's clients meet them: over sockets.

mod client;
mod consul;
mod fencing;
mod keys;
mod killed;
mod refusals;
#[path = "../common/running.rs"]
mod running;
mod sessions;
mod waiting;
