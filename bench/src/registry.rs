//! The registry: what it takes to be there and to be seen, on the disk, watched by many and killed, in one run with etcd
//! and Redis where they do the same.
//!
//! All three write every acknowledged registration to the disk: the registry and etcd by their nature, Redis with
//! `appendfsync always`.
//!
//! | Module | Holds |
//! |---|---|
//! | `options`, `versions`, `files` | the command line, and what is there to measure with |
//! | `side`; `ours`, `etcd`, `redis` | the sides, each with its clients |
//! | `http`, `lines`, `crowd` | cheap clients of the registry: one that calls, one that watches, thousands of those |
//! | `load`, `beating` | instances by the thousand, and their beats |
//! | `account` | what a server has used |
//! | `durable`, `seen`, `watchers`, `beats`, `deaths`, `restart` | what is measured |

mod account;
mod beating;
mod beats;
mod crowd;
mod deaths;
mod durable;
mod etcd;
mod files;
mod http;
mod lines;
mod load;
mod options;
mod ours;
mod redis;
mod restart;
mod seen;
mod side;
mod versions;
mod watchers;

use std::thread::available_parallelism;

use tokio::runtime::Builder;
use tokio::signal::ctrl_c;
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::timeout;

pub use self::options::Options;
use self::options::{Measure, Part};
use self::versions::Versions;
use crate::{Failed, child};

/// Measures, and prints. Ends every process that it started, also when it is interrupted or fails.
///
/// # Errors
/// When something cannot be set up, or is not as it was acknowledged.
pub fn run(options: &Options) -> Result<(), Failed> {
    match &options.part {
        Some(Part::Keep { parent, program }) => Err(child::keep(*parent, program)),
        // As the registry's own program runs.
        Some(Part::Registry { port, data, rules }) => {
            Builder::new_multi_thread().enable_all().build()?.block_on(ours::run(*port, data.clone(), rules))
        }
        None => Builder::new_current_thread().enable_all().build()?.block_on(async {
            let mut terminated = signal(SignalKind::terminate())?;
            tokio::select! {
                measured = measure(options) => measured,
                _ = ctrl_c() => Err("interrupted".into()),
                _ = terminated.recv() => Err("terminated".into()),
            }
        }),
    }
}

async fn measure(options: &Options) -> Result<(), Failed> {
    println!("{}\n", options.setting(available_parallelism()?.get(), &Versions::of(options)));
    for part in options.measures() {
        let late = |_| format!("{part:?} does not end");
        timeout(options.patience(), one(part, options)).await.map_err(late)??;
    }
    Ok(())
}

async fn one(part: Measure, options: &Options) -> Result<(), Failed> {
    match part {
        Measure::Durable => durable::measure(options).await,
        Measure::Seen => seen::measure(options).await,
        Measure::Watchers => watchers::measure(options).await,
        Measure::Beats => beats::measure(options).await,
        Measure::Deaths => deaths::measure(options).await,
        Measure::Restart => restart::measure(options).await,
    }
}

/// A side that cannot be started is not measured, and why is said.
fn left_out<S>(started: Result<S, Failed>) -> Option<S> {
    started.inspect_err(|why| println!("left out: {why}")).ok()
}
