//! Calls per second and CPU per call, whole calls over loopback: Mainstay beside what else makes them, in one run.
//!
//! | Module | Holds |
//! |---|---|
//! | `options` | the command line |
//! | `contestant` | who is measured, and how each makes the call |
//! | `instances`, `proxy` | the other processes |
//! | `work` | tasks that call for a slice of time |
//! | `rounds` | slices in turn, and what each took |
//! | `cpu` | what they took |
//! | `instructions` | the same calls, counted by callgrind |
//! | `table`, `verdict`, `chart` | what is shown |

mod chart;
mod contestant;
mod cpu;
mod instances;
mod instructions;
mod options;
mod proxy;
mod rounds;
mod table;
mod verdict;
mod work;

use std::fs;
use std::thread::available_parallelism;

use serde_json::json;
use tokio::runtime::{Builder, Runtime};
use tokio::signal::ctrl_c;
use tokio::signal::unix::{SignalKind, signal};

use self::instances::Instances;
pub use self::options::Options;
use self::options::Part;
use self::proxy::Proxy;
use self::rounds::{Lane, Level};
use crate::{Failed, child};

/// Measures, and prints. Ends every process that it started, also when it is interrupted or fails.
///
/// # Errors
/// When a contestant cannot be set up, or its calls fail again and again.
pub fn run(options: &Options) -> Result<(), Failed> {
    match &options.part {
        Some(Part::Keep { parent, program }) => Err(child::keep(*parent, program)),
        Some(Part::Instances) => runtime(1)?.block_on(instances::run()),
        Some(Part::Calls { contestant, count, addresses }) => {
            runtime(1)?.block_on(async { contestant.team(addresses, 1).await?.calls(*count).await })
        }
        None => runtime(options.threads)?.block_on(async {
            let mut terminated = signal(SignalKind::terminate())?;
            tokio::select! {
                measured = measure(options) => measured,
                _ = ctrl_c() => Err("interrupted".into()),
                _ = terminated.recv() => Err("terminated".into()),
            }
        }),
    }
}

fn runtime(threads: usize) -> Result<Runtime, Failed> {
    Ok(match threads {
        1 => Builder::new_current_thread().enable_all().build()?,
        more => Builder::new_multi_thread().worker_threads(more).enable_all().build()?,
    })
}

async fn measure(options: &Options) -> Result<(), Failed> {
    if options.chart.is_some() && options.rounds == 0 {
        return Err("a chart takes rounds".into());
    }
    let cores = available_parallelism()?.get();
    println!("{}\n", options.setting(cores));
    let instances = Instances::start().await?;
    let lanes = lanes(options, &instances).await?;
    let mut levels = Vec::new();
    if options.rounds > 0 {
        for &concurrent in &options.concurrent {
            let level = rounds::measure(&lanes, &instances, concurrent, options).await?;
            println!("{}", table::level(&level));
            levels.push(level);
        }
    }
    let counts = if options.instructions { instructions::count(&lanes, &instances).await? } else { Vec::new() };
    if !counts.is_empty() {
        println!("{}", table::instructions(&counts));
    }
    println!("{}", verdict::lines(&levels, &counts));
    if let Some(file) = &options.json {
        let all = json!({ "setting": options.setting(cores), "levels": levels, "instructions": counts });
        fs::write(file, serde_json::to_string_pretty(&all)?)?;
    }
    if let Some(file) = &options.chart {
        let busiest: Option<&Level> = levels.iter().max_by_key(|level| level.concurrent);
        fs::write(file, chart::of(busiest.ok_or("a chart takes a level")?, cores))?;
    }
    for proxy in lanes.into_iter().filter_map(|lane| lane.proxy) {
        proxy.child.stop().await?;
    }
    instances.child.stop().await
}

/// Everybody who can run, with the proxy they need.
async fn lanes(options: &Options, instances: &Instances) -> Result<Vec<Lane>, Failed> {
    let mut lanes = Vec::new();
    for contestant in options.contestants() {
        let proxy: Option<Proxy> = match contestant.proxy() {
            None => None,
            Some(program) => match program.find() {
                Ok(_) => Some(program.start(options.proxy_workers, &instances.addresses).await?),
                Err(why) => {
                    println!("{}: skipped, as {why}", contestant.title());
                    continue;
                }
            },
        };
        lanes.push(Lane { contestant, proxy });
    }
    Ok(lanes)
}
