//! The stories of the Market, of its auctions, quotes and tasks, told by real processes: to programs, and to people in front of its page.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "in a test, a panic is the message")]

mod acts;
mod auction_page;
mod auctions;
mod browser;
mod demo;
mod messages;
mod page;
#[path = "../common/ports.rs"]
mod ports;
mod quotes_page;
mod registry_page;
mod tasks_page;
