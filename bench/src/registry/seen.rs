//! From a registration to a watcher, one after the other, while many other instances beat on the same server.

use std::time::Duration;

use tokio::time::{Instant, sleep_until, timeout};

use super::account::{Memory, cpu};
use super::etcd::Etcd;
use super::options::{Options, Rules};
use super::ours::Ours;
use super::side::{Live, Seen, Writer, instance};
use super::{left_out, load};
use crate::Failed;
use crate::latency::Latencies;

/// How often each instance beats.
const BEAT_EVERY: Duration = Duration::from_secs(10);
/// How often somebody registers.
const PACE: Duration = Duration::from_millis(5);
/// A slice is so much longer than one of registrations: these come one by one.
const LONGER: u32 = 4;
/// How long a watcher may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// The service that is watched. Those who beat are of others.
const SERVICE: &str = "watched";

/// One side, and what was seen of it.
struct Lane<'a> {
    side: &'a dyn Live,
    writer: Box<dyn Writer>,
    seen: Seen,
    registered: u32,
    latencies: Latencies,
    beats: u64,
    used: Duration,
    took: Duration,
}

pub(super) async fn measure(options: &Options) -> Result<(), Failed> {
    let instances = load::instances(options.instances, 1_000)?;
    let mut ours = Ours::start(Rules::patient()).await?;
    let mut etcd = left_out(Etcd::start(&options.etcd).await);
    let mut lanes = Vec::new();
    ours.load(&instances).await?;
    lanes.push(Lane::new(&ours).await?);
    if let Some(etcd) = &mut etcd {
        etcd.load(&instances).await?;
        lanes.push(Lane::new(etcd).await?);
    }
    let count = lanes.len();
    for round in 0..=usize::from(options.rounds) {
        for turn in 0..count {
            let lane = &mut lanes[(turn + round) % count];
            lane.slice(options.slice() * LONGER, round > 0).await?;
        }
    }
    println!("registered until seen by a watcher, while {} instances beat every 10 s", options.instances);
    println!("{:<36}{:>9}{:>10}{:>10}{:>10}{:>12}{:>10}", "", "seen", "p50", "p99", "beats/s", "of a core", "PSS");
    for lane in &lanes {
        println!("{}", lane.line()?);
    }
    println!();
    drop(lanes);
    if let Some(etcd) = etcd {
        etcd.stop().await?;
    }
    ours.stop().await
}

impl<'a> Lane<'a> {
    async fn new(side: &'a dyn Live) -> Result<Self, Failed> {
        let writer = side.writers(1).await?.pop().ok_or("there is no writer")?;
        let (seen, latencies) = (side.watch(SERVICE).await?, Latencies::new());
        let (used, took) = (Duration::ZERO, Duration::ZERO);
        Ok(Self { side, writer, seen, registered: 0, latencies, beats: 0, used, took })
    }

    /// Its instances beat for as long as its slice, so that they do not disturb the other side.
    async fn slice(&mut self, length: Duration, counts: bool) -> Result<(), Failed> {
        let beating = self.side.beat(BEAT_EVERY).await?;
        let (began, before) = (Instant::now(), cpu(self.side.process()?)?);
        let mut next = began;
        while next < began + length {
            sleep_until(next).await;
            let asked = Instant::now();
            let instance = instance(SERVICE, self.registered)?;
            self.registered += 1;
            self.writer.register(&instance).await?;
            let late = |_| format!("the watcher of {} is not told", self.side.title());
            let (name, seen) = timeout(PATIENCE, self.seen.names.recv()).await.map_err(late)?.ok_or("a watch ended")?;
            if name != instance.id.as_str() {
                return Err(
                    format!("the watcher of {} is told {name} instead of {}", self.side.title(), instance.id).into()
                );
            }
            if counts {
                self.latencies.record(seen - asked);
            }
            next = asked + PACE;
        }
        let (used, took) = (cpu(self.side.process()?)? - before, began.elapsed());
        let beats = beating.end().await?;
        if counts {
            self.beats += beats;
            self.used += used;
            self.took += took;
        }
        Ok(())
    }

    fn line(&self) -> Result<String, Failed> {
        let within = |share| format!("{:.2} ms", self.latencies.within(share).as_secs_f64() * 1e3);
        let took = self.took.as_secs_f64();
        Ok(format!(
            "{:<36}{:>9}{:>10}{:>10}{:>10.0}{:>10.1} %{:>6.0} MiB",
            self.side.title(),
            self.latencies.calls(),
            within(0.5),
            within(0.99),
            self.beats as f64 / took,
            100.0 * self.used.as_secs_f64() / took,
            Memory::of(self.side.process()?)?.proportional / 1024.0,
        ))
    }
}
