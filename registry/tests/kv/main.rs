//! Keys, sessions and locks, as Consul's clients meet them: over sockets.

mod client;
mod consul;
mod fencing;
mod keys;
mod killed;
mod refusals;
mod sessions;
mod waiting;
