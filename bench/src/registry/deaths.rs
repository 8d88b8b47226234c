//! Instances that all stop beating at once: with the guard they stay, without it they go, none early and none late.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use mainstay::contracts::registry::{Beat, List, Listing, Presence, Register};
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

/// Those who are not gone yet, and what was seen of the others.
#[derive(Debug)]
struct Deaths {
    beaten: Beaten,
    late: Latencies,
    early: u32,
    last: Instant,
}

impl Deaths {
    fn see(&mut self, id: &str, now: Instant) {
        let Some((asked, answered)) = self.beaten.remove(id) else { return };
        self.early += u32::from(now < asked + LEASE);
        self.late.record(now.saturating_duration_since(answered + LEASE));
        self.last = now;
    }

    /// A watcher that is too far behind gets a list: who is not on it is gone.
    fn see_all_but(&mut self, line: &[u8], now: Instant) -> Result<(), Failed> {
        let listing: Listing = serde_json::from_slice(line)?;
        let listed: HashSet<_> = listing.instances.iter().map(|listed| listed.instance.id.as_str()).collect();
        let gone: Vec<_> = self.beaten.keys().filter(|id| !listed.contains(id.as_str())).cloned().collect();
        gone.iter().for_each(|id| self.see(id, now));
        Ok(())
    }
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
    let mut deaths = Deaths { late: Latencies::new(), early: 0, last: end, beaten };
    while !deaths.beaten.is_empty() {
        let line = timeout_at(end + PATIENCE, lines.next()).await;
        let left = |_| format!("{} are listed {PATIENCE:?} after the last lease", deaths.beaten.len());
        let line = line.map_err(left)??.ok_or("a watch ended")?;
        let now = Instant::now();
        match Head::of(line)? {
            Head { kind: "gone", id: Some(id), .. } => deaths.see(id, now),
            Head { kind: "snapshot", .. } => deaths.see_all_but(line, now)?,
            _ => (),
        }
    }
    let Deaths { late, early, last, .. } = deaths;
    ours.stop().await?;
    let [p50, p99] = [0.5, 0.99].map(|share| late.within(share).as_secs_f64() * 1e3);
    Ok(format!(
        "removed {}, the last was seen {:.0} ms after the end of the last lease; after the end of its own, \
         each p50 {p50:.0} ms, p99 {p99:.0} ms; early {early}",
        late.calls(),
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
