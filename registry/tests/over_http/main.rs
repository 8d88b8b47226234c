//! The registry as its clients meet it: over sockets, polite or not.

mod access;
mod client;
mod limits;
mod openapi;
mod refusals;
#[path = "../common/running.rs"]
mod running;
mod streams;
