//! Messages: what an acknowledged publish and a request with its reply cost, beside Redis Streams and NATS JetStream, in
//! one run.
//!
//! All three write every acknowledged message to the disk: the hub by its nature, Redis with `appendfsync always`, NATS
//! with `sync_interval: always`. Replies are for whoever waits and on no disk, except with Redis, whose streams know
//! nothing else.
//!
//! | Module | Holds |
//! |---|---|
//! | `options` | the command line |
//! | `side` | what each side can do |
//! | `ours`, `redis`, `nats` | the sides |
//! | `rounds` | slices in turn, and what each took |

mod nats;
mod options;
mod ours;
mod redis;
mod rounds;
mod side;

use std::thread::available_parallelism;

use tokio::runtime::Builder;
use tokio::signal::ctrl_c;

pub use self::options::Options;
use self::options::Part;
use self::side::Side;
use crate::{Failed, child, rows};

/// Measures, and prints. Ends every process that it started, also when it is interrupted or fails.
///
/// # Errors
/// When a side cannot be set up, or does not answer.
pub fn run(options: &Options) -> Result<(), Failed> {
    // Client, worker and servers share the cores with one another, as in the one-machine systems this is for.
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    match &options.part {
        Some(Part::Keep { parent, program }) => Err(child::keep(*parent, program)),
        Some(Part::Registry { port }) => runtime.block_on(ours::registry(*port)),
        Some(Part::Hub { port, data, registry }) => runtime.block_on(ours::hub(*port, data, registry)),
        None => runtime.block_on(async {
            tokio::select! {
                measured = measure(options) => measured,
                _ = ctrl_c() => Err("interrupted".into()),
            }
        }),
    }
}

async fn measure(options: &Options) -> Result<(), Failed> {
    println!("{}\n", options.setting(available_parallelism()?.get()));
    let mut sides: Vec<Box<dyn Side>> = Vec::new();
    for started in [ours::start().await, redis::start(options).await, nats::start(options).await] {
        match started {
            Ok(side) => sides.push(side),
            Err(why) => println!("left out: {why}"),
        }
    }
    for &callers in &options.callers {
        for (what, work) in
            [("publish, acknowledged when on disk", side::Work::Publish), ("request and reply", side::Work::Ask)]
        {
            let rows = rounds::measure(&sides, work, callers, options).await?;
            println!("{}", rows::table(what, callers, &rows));
        }
    }
    Ok(())
}
