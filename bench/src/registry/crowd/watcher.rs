//! One of them.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use mainstay::contracts::registry::Watch;
use mainstay::contracts::wire::Encoded;
use tokio::time::{Instant, sleep};

use super::{Seen, Told};
use crate::Failed;
use crate::registry::lines::{Head, Lines};
use crate::registry::load;

/// As clients of the SDK do: they come back at once, then after a while that doubles, each at another time.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

pub(super) async fn watch(address: SocketAddr, service: String, place: u32, seen: Arc<Seen>) {
    let mut asked = Watch { service, epoch: None, revision: None };
    let mut pause = FIRST_PAUSE;
    loop {
        let before = asked.revision;
        if let Err(error) = follow(address, &mut asked, place, &seen).await {
            *seen.refused.lock() = Some(error.to_string());
        }
        seen.revisions[place as usize].store(0, Ordering::Relaxed);
        if asked.revision != before {
            pause = FIRST_PAUSE;
        }
        sleep(pause.mul_f64(0.5 + share(place) / 2.0)).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// Another number from 0 to 1 for each, as far apart as can be.
fn share(place: u32) -> f64 {
    (f64::from(place) * 0.618_034).fract()
}

async fn follow(address: SocketAddr, asked: &mut Watch, place: u32, seen: &Seen) -> Result<(), Failed> {
    let again = asked.revision.is_some();
    let permit = if again { None } else { Some(seen.opening.acquire().await?) };
    let mut lines = Lines::open(address, "GET", &target(asked)).await?;
    let mut permit = Some(permit);
    let mut before = lines.read();
    while let Some(line) = lines.next().await? {
        let now = Instant::now();
        let head = Head::of(line)?;
        match head.kind {
            "snapshot" if again => drop(seen.anew.fetch_add(1, Ordering::Relaxed)),
            "resumed" => drop(seen.resumed.fetch_add(1, Ordering::Relaxed)),
            _ => (),
        }
        asked.epoch = head.epoch.or(asked.epoch);
        if let Some(revision) = head.revision {
            asked.revision = Some(revision);
            seen.revisions[place as usize].store(revision.max(1), Ordering::Relaxed);
        }
        let change = head.revision.filter(|_| matches!(head.kind, "changed" | "snapshot"));
        let bytes = lines.read() - before;
        before += bytes;
        if let Some(revision) = change {
            tell(seen, revision, now, bytes);
        }
        if permit.take().is_some() {
            seen.opened.notify_one();
        }
    }
    Ok(())
}

fn tell(seen: &Seen, revision: u64, now: Instant, bytes: u64) {
    let mut changes = seen.changes.lock();
    let told = changes.entry(revision).or_insert(Told { watchers: 0, first: now, last: now, bytes: 0 });
    told.watchers += 1;
    told.last = now;
    told.bytes += bytes;
    if told.watchers as usize >= seen.revisions.len() {
        seen.told.notify_one();
    }
}

fn target(asked: &Watch) -> Encoded {
    let mut watching = load::watching(&asked.service);
    if let (Some(epoch), Some(revision)) = (asked.epoch, asked.revision) {
        watching.target.push_str(&format!("?epoch={epoch}&revision={revision}"));
    }
    watching
}
