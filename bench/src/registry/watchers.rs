//! One change told to thousands of watchers of a large service: how soon, how many bytes, and what a watcher takes.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::account::{Memory, cpu};
use super::crowd::Crowd;
use super::http::Connection;
use super::options::{Options, Rules};
use super::ours::Ours;
use super::side::Side as _;
use super::{files, load};
use crate::Failed;
use crate::latency::Latencies;

/// Instances of the service.
const INSTANCES: u32 = 1_000;
/// How long the last watcher may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// Between two changes.
const PAUSE: Duration = Duration::from_millis(100);

pub(super) async fn measure(options: &Options) -> Result<(), Failed> {
    files::allow(options.watchers)?;
    let ours = Ours::start(Rules::patient()).await?;
    let instances = load::instances(INSTANCES, INSTANCES)?;
    load::register(ours.address, &instances).await?;
    let before = Memory::of(ours.process()?)?;
    let crowd = Crowd::gather(ours.address, &[load::service(0)], options.watchers).await?;
    let mut connection = Connection::open(ours.address).await?;
    let (mut first, mut last, mut bytes, mut used) = (Latencies::new(), Latencies::new(), 0, Duration::ZERO);
    // The first change is for the caches.
    for change in 0..=options.changes {
        sleep(PAUSE).await;
        let mut instance = instances[change as usize % instances.len()].clone();
        instance.version = Some(format!("2.0.{change}"));
        let (asked, before) = (Instant::now(), cpu(ours.process()?)?);
        let registered = connection.call(&instance).await?;
        let told = crowd.told(registered.revision, PATIENCE).await?;
        if change > 0 {
            first.record(told.first - asked);
            last.record(told.last - asked);
            bytes += told.bytes;
            used += cpu(ours.process()?)? - before;
        }
    }
    let more = Memory::of(ours.process()?)?.since(before);
    let watchers = f64::from(options.watchers);
    let within = |latencies: &Latencies| {
        let [p50, p99] = [0.5, 0.99].map(|share| latencies.within(share).as_secs_f64() * 1e3);
        format!("p50 {p50:.1} ms, p99 {p99:.1} ms")
    };
    println!("{} changes of a service of {INSTANCES}, told to {} watchers", options.changes, options.watchers);
    println!("  until the first has it    {}", within(&first));
    println!("  until the last has it     {}", within(&last));
    let each = f64::from(options.changes) * watchers;
    let cost = used.as_secs_f64() * 1e6 / each;
    println!("  per change and watcher    {:.0} bytes, {cost:.1} µs of the server's CPU", bytes as f64 / each);
    println!(
        "  memory of a watcher       {:.1} KiB PSS, {:.1} KiB RSS\n",
        more.proportional / watchers,
        more.resident / watchers
    );
    drop(crowd);
    ours.stop().await
}
