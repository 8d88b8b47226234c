//! The SDK from outside: on a simulated network under paused time, and with the real registry.
#![allow(clippy::unwrap_used, reason = "in a test, a panic is the message")]

mod allocations;
mod calls;
mod common;
mod connections;
mod gather;
mod http2;
mod log;
mod registry;
mod serve;
mod simulated;
mod story;
mod threads;
mod tls;
mod token;
