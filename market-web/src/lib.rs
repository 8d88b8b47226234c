//! The Market: a shop whose ratings never vanish, a page that shows why, and a page that runs auctions.
//!
//! | To see | read |
//! |---|---|
//! | how ratings are asked for | `ratings`, called by `market` |
//! | how auctions are run | `auctions` |
//! | how requests for quotes and tasks are sent, and what is read of them | `tasks`, `rfqs`, `book` |
//! | whose instances there are, and which page shows them | `kind`, `tab`, `clients` |
//! | what there is to know, for programs and for the page | `state` |
//! | how it is drawn, and kept up to date | `view`, `live` |
//! | which address does what | `web` |
//! | what a connection may cost | `server` |
//! | the cart | `cart`, `catalog`, `money` |
//! | the console's lines, also on the page | [`console`], [`tape`] |
//! | everything at once on one machine, and what its buttons do | [`demo`], `lab` |

mod args;
mod auctions;
mod book;
mod cart;
mod catalog;
mod clients;
mod config;
pub mod console;
pub mod demo;
mod kind;
mod lab;
mod live;
mod market;
mod money;
mod page;
mod ratings;
mod rfqs;
mod server;
mod state;
mod tab;
pub mod tape;
mod tasks;
mod traffic;
mod view;
mod web;

pub use args::{Args, start};
pub use config::Config;
pub use lab::{Bench, Lab, Ports};
pub use server::run;
