//! Backends: each does one task after the other, as they come by message.
//!
//! A backend that is killed has its tasks done by another: they are delivered again. One that is only slow keeps them.
//! Whoever does a task twice tells so once: what is told has an id made of the task's.
//!
//! | To see | read |
//! |---|---|
//! | what it does with a task | `work` |
//! | how it is started | [`Args`] |

mod args;
mod work;

use std::future::Future;
use std::io;
use std::time::Duration;

use futures_util::FutureExt as _;
use mainstay::Address;
use mainstay::contracts::tasks::Backends;
use mainstay_messaging::Messages;
use tokio::net::TcpListener;

pub use self::args::Args;
use crate::instance::{self, Who};

/// What one backend must know.
#[derive(Debug, Clone)]
pub struct Config {
    /// Its own number, the same across restarts: it is registered as `backend-<number>`.
    pub number: u32,
    /// How long it thinks before each task, for others to see what becomes of a slow or killed one.
    pub delay: Duration,
    /// Where the registry is. It may be away.
    pub registry: Address,
    /// Where messages are kept.
    pub messages: Messages,
}

/// Does tasks until `shutdown` resolves, registered, with a health path on `listener`.
///
/// The end is clean: the backend leaves the registry and takes no more tasks, and those that it has begun have up to 2 s;
/// others do the rest.
///
/// # Errors
/// When the listener has no address to be found at.
pub async fn run(config: Config, listener: TcpListener, shutdown: impl Future<Output = ()>) -> io::Result<()> {
    let shutdown = shutdown.shared();
    let id = format!("backend-{}", config.number);
    let who = Who { id: id.clone(), number: Some(config.number), registry: config.registry };
    let serving = instance::serve::<Backends>(who, listener, instance::router(), shutdown.clone());
    let working = work::work(id, config.delay, config.messages, shutdown.clone());
    tokio::join!(serving, working).0
}
