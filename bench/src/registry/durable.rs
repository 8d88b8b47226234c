//! Registrations a second: each side gets slices in turn, as many writers at once, every instance another one.

use std::process;
use std::time::Duration;

use futures_util::future::try_join_all;
use tokio::time::{Instant, timeout};

use super::account::cpu;
use super::etcd::Etcd;
use super::left_out;
use super::options::{Options, Rules};
use super::ours::Ours;
use super::redis::Redis;
use super::side::{Side, Writer, instance};
use crate::Failed;
use crate::latency::Latencies;
use crate::rows::{self, Row};

/// How much longer than its slice a side may take, and how long the removal of what it has registered.
const PATIENCE: Duration = Duration::from_secs(60);
/// The service of all of them.
const SERVICE: &str = "ratings";

pub(super) async fn measure(options: &Options) -> Result<(), Failed> {
    let ours = Ours::start(Rules::patient()).await?;
    let etcd = left_out(Etcd::start(&options.etcd).await);
    let redis = left_out(Redis::start(&options.redis).await);
    let mut sides: Vec<&dyn Side> = vec![&ours];
    sides.extend(etcd.iter().map(|etcd| etcd as &dyn Side));
    sides.extend(redis.iter().map(|redis| redis as &dyn Side));
    for &count in &options.writers {
        let rows = rounds(&sides, count, options).await?;
        let (rows, work): (Vec<_>, Vec<_>) = rows.into_iter().unzip();
        println!("{}", rows::table("durable registrations, acknowledged when on the disk", count, &rows));
        println!("CPU of a registration, server and client: {}\n", costs(&rows, &work));
    }
    if let Some(redis) = redis {
        redis.stop().await?;
    }
    if let Some(etcd) = etcd {
        etcd.stop().await?;
    }
    ours.stop().await
}

/// What server and client have used.
#[derive(Debug, Clone, Copy, Default)]
struct Work {
    server: Duration,
    client: Duration,
}

impl Work {
    fn until_now(server: u32) -> Result<Self, Failed> {
        Ok(Self { server: cpu(server)?, client: cpu(process::id())? })
    }

    fn add(&mut self, before: Self, after: Self) {
        self.server += after.server - before.server;
        self.client += after.client - before.client;
    }
}

fn costs(rows: &[Row], work: &[Work]) -> String {
    let cost = |(row, work): (&Row, &Work)| {
        let [server, client] =
            [work.server, work.client].map(|work| work.as_secs_f64() * 1e6 / row.latencies.calls() as f64);
        format!("{} {server:.0} and {client:.0} µs", row.title)
    };
    rows.iter().zip(work).map(cost).collect::<Vec<_>>().join("; ")
}

async fn rounds(sides: &[&dyn Side], count: u16, options: &Options) -> Result<Vec<(Row, Work)>, Failed> {
    let mut rows: Vec<_> = sides.iter().map(|side| (Row::new(side.title()), Work::default())).collect();
    let mut writers = Vec::new();
    for side in sides {
        writers.push(side.writers(count).await?);
    }
    for round in 0..=usize::from(options.rounds) {
        for turn in 0..sides.len() {
            let turn = (turn + round) % sides.len();
            let (side, writers, (row, work)) = (sides[turn], &mut writers[turn], &mut rows[turn]);
            let late = |_| format!("{} does not answer", side.title());
            let before = Work::until_now(side.process()?)?;
            let slice = slice(writers, options.slice());
            let (latencies, took) = timeout(options.slice() + PATIENCE, slice).await.map_err(late)??;
            let after = Work::until_now(side.process()?)?;
            let remove = try_join_all(writers.iter_mut().map(|writer| writer.remove()));
            timeout(PATIENCE, remove).await.map_err(late)??;
            // The first round opens connections and fills caches.
            if round > 0 {
                row.per_second.push(latencies.calls() as f64 / took.as_secs_f64());
                row.latencies.add(&latencies);
                work.add(before, after);
            }
        }
    }
    Ok(rows)
}

async fn slice(writers: &mut [Box<dyn Writer>], length: Duration) -> Result<(Latencies, Duration), Failed> {
    let began = Instant::now();
    let (end, count) = (began + length, writers.len() as u32);
    let lanes = (0..).zip(&mut *writers).map(|(lane, writer)| async move {
        let mut latencies = Latencies::new();
        for number in (lane..).step_by(count as usize) {
            let instance = instance(SERVICE, number)?;
            let asked = Instant::now();
            if asked >= end {
                break;
            }
            writer.register(&instance).await?;
            latencies.record(asked.elapsed());
        }
        Ok::<_, Failed>(latencies)
    });
    let lanes = try_join_all(lanes).await?;
    let took = began.elapsed();
    let mut whole = Latencies::new();
    lanes.iter().for_each(|latencies| whole.add(latencies));
    Ok((whole, took))
}
