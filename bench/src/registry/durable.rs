//! Registrations a second: each side gets slices in turn, as many writers at once, every instance another one.

use std::time::Duration;

use futures_util::future::try_join_all;
use tokio::time::{Instant, timeout};

use super::etcd::Etcd;
use super::options::{Options, Rules};
use super::ours::Ours;
use super::redis::Redis;
use super::side::{Side, Writer, instance};
use crate::latency::Latencies;
use crate::rows::{self, Row};
use crate::{Failed, registry::left_out};

/// How much longer than its slice a side may take, with the removal of what it has registered.
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
        println!("{}", rows::table("durable registrations, acknowledged when on the disk", count, &rows));
    }
    if let Some(redis) = redis {
        redis.stop().await?;
    }
    if let Some(etcd) = etcd {
        etcd.stop().await?;
    }
    ours.stop().await
}

async fn rounds(sides: &[&dyn Side], count: u16, options: &Options) -> Result<Vec<Row>, Failed> {
    let mut rows: Vec<_> = sides.iter().map(|side| Row::new(side.title())).collect();
    let mut writers = Vec::new();
    for side in sides {
        writers.push(side.writers(count).await?);
    }
    for round in 0..=usize::from(options.rounds) {
        for turn in 0..sides.len() {
            let turn = (turn + round) % sides.len();
            let slice = slice(&mut writers[turn], options.slice());
            let late = |_| format!("{} does not answer", sides[turn].title());
            let (latencies, took) = timeout(options.slice() + PATIENCE, slice).await.map_err(late)??;
            // The first round opens connections and fills caches.
            if round > 0 {
                rows[turn].per_second.push(latencies.calls() as f64 / took.as_secs_f64());
                rows[turn].latencies.add(&latencies);
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
    try_join_all(writers.iter_mut().map(|writer| writer.remove())).await?;
    Ok((whole, took))
}
