//! The Market from outside.
#![expect(clippy::unwrap_used, reason = "a test ends where it cannot go on")]

mod auction;
mod http;
mod lab;
mod live;
#[path = "../common/ports.rs"]
mod ports;
mod quotes;
mod services;
mod site;
mod tasks;
