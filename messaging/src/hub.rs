//! The hub: topics and channels of one directory, served to several processes.
//!
//! It is a service like any other: it registers itself as `hub`, has a health path, and is called through the SDK, with
//! breakers and deadlines. Its calls are those of [`contracts::hub`](mainstay::contracts::hub); whoever opens
//! `hub://` and the registry's address gets [`Messages`](crate::Messages) over it.
//!
//! There is one for each registry. Of two that register there, the later one is the hub: messages would otherwise be in
//! the one, and their consumers at the other.
//!
//! | To see | read |
//! |---|---|
//! | how it appears in the registry, and leaves | [`run`] |
//! | how much it may hold | [`Limits`] |
//! | what it answers | `calls` |
//! | which failure is which status | `refused` |
//! | how it is started | [`Args`] |

mod args;
mod calls;
mod config;
mod refused;
mod run;

pub use self::args::Args;
pub use self::config::Config;
pub(crate) use self::refused::read;
pub use self::run::run;
pub use crate::engine::embedded::Limits;
