//! Instances that all stop beating at once: with the guard they stay, without it they go, none early and none late.

use std::collections::HashMap;
use std::time::Duration;

use mainstay::contracts::registry::{Beat, List, Presence, Register};
use tokio::time::{Instant, sleep, timeout_at};

use super::http::Connection;
use super::lines::{Head, Lines};
use super::load;
use super::options::{Options, Rules};
use super::ours::Ours;
use crate::Failed;
use crate::latency::Latencies;

/// How long they are silent after the last beat, and listed after that.
const SILENT_AFTER: Duration = Duration::from_secs(2);
const GONE_AFTER: Duration = Duration::from_secs(3);
const LEASE: Duration = SILENT_AFTER.saturating_add(GONE_AFTER);
/// How long after the end of the lease they are looked for.
const PATIENCE: Duration = Duration::from_secs(20);
/// And for how long nothing may happen with the guard.
const WAIT: Duration = Duration::from_secs(3);

/// When each has beaten for the last time: before the first, and after the second.
type Beaten = HashMap<String, (Instant, Instant)>;

pub(super) async fn measure(options: &Options) -> Result<(), Failed> {
    println!("{} leases of {} s that end at once", options.instances, LEASE.as_secs());
    println!("  with the guard      {}", guarded(options).await?);
    println!("  without the guard   {}\n", unguarded(options).await?);
    Ok(())
}

fn rules(unguarded: bool) -> Rules {
    Rules { silent_ms: SILENT_AFTER.as_millis() as u64, gone_ms: GONE_AFTER.as_millis() as u64, unguarded }
}

async fn guarded(options: &Options) -> Result<String, Failed> {
    let ours = Ours::start(rules(false)).await?;
    let instances = load::instances(options.instances, options.instances)?;
    last_beats(&ours, &instances).await?;
    sleep(LEASE + WAIT).await;
    let listing = Connection::open(ours.address).await?.call(&List { service: load::service(0) }).await?;
    let suspect = listing.instances.iter().filter(|listed| listed.presence == Presence::Suspect).count();
    ours.stop().await?;
    let removed = options.instances as usize - listing.instances.len();
    Ok(format!("removed {removed}, suspect {suspect}"))
}

async fn unguarded(options: &Options) -> Result<String, Failed> {
    let ours = Ours::start(rules(true)).await?;
    let instances = load::instances(options.instances, options.instances)?;
    let mut lines = Lines::open(ours.address, "GET", &load::watching(&load::service(0))).await?;
    lines.next().await?;
    let beaten = last_beats(&ours, &instances).await?;
    let end = beaten.values().map(|beaten| beaten.1 + LEASE).max().ok_or("there is nobody")?;
    let (mut late, mut early, mut last, mut gone) = (Latencies::new(), 0, end, 0);
    while gone < beaten.len() {
        let line = timeout_at(end + PATIENCE, lines.next()).await;
        let line = line.map_err(|_| format!("{gone} of {} are gone {PATIENCE:?} later", beaten.len()))?;
        let now = Instant::now();
        let Head { kind: "gone", id: Some(id), .. } = Head::of(line?.ok_or("a watch ended")?)? else { continue };
        let beaten = beaten.get(id).ok_or("somebody else is gone")?;
        early += u32::from(now < beaten.0 + LEASE);
        late.record(now.saturating_duration_since(beaten.1 + LEASE));
        (last, gone) = (now, gone + 1);
    }
    ours.stop().await?;
    let [p50, p99] = [0.5, 0.99].map(|share| late.within(share).as_secs_f64() * 1e3);
    Ok(format!(
        "removed {gone}, the last was seen {:.0} ms after the end of the last lease; after the end of its own, \
         each p50 {p50:.0} ms, p99 {p99:.0} ms; early {early}",
        last.saturating_duration_since(end).as_secs_f64() * 1e3,
    ))
}

/// Has all of them there, and the last word of each.
async fn last_beats(ours: &Ours, instances: &[Register]) -> Result<Beaten, Failed> {
    load::register(ours.address, instances).await?;
    let beats: Vec<_> = instances
        .iter()
        .map(|one| Beat { service: one.service.clone(), id: one.id.clone(), incarnation: None })
        .collect();
    let answers = load::call_all(ours.address, &beats).await?;
    let times = answers.iter().map(|answer| (answer.place, (answer.asked, answer.answered)));
    Ok(times.map(|(place, times)| (beats[place].id.as_str().to_owned(), times)).collect())
}
