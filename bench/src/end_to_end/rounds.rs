//! Slices in turn: every round has all contestants, so that each can be compared with the others under the same
//! conditions.

use std::error::Error;
use std::iter::successors;
use std::time::Duration;

use serde::Serialize;

use super::contestant::Contestant;
use super::cpu;
use super::instances::Instances;
use super::options::Options;
use super::proxy::Proxy;
use super::work::{Tally, Work};
use crate::Failed;
use crate::latency::Latencies;
use crate::stats::Spread;

/// A contestant with the proxy it runs through, if it does.
#[derive(Debug)]
pub(crate) struct Lane {
    pub(crate) contestant: Contestant,
    pub(crate) proxy: Option<Proxy>,
}

/// What one slice gave. CPU is in microseconds per call.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Sample {
    pub(crate) calls_per_second: f64,
    pub(crate) client_cpu: f64,
    pub(crate) proxy_cpu: f64,
    pub(crate) instances_cpu: f64,
}

/// All slices of one contestant.
#[derive(Debug, Serialize)]
pub(crate) struct Row {
    pub(crate) contestant: Contestant,
    pub(crate) samples: Vec<Sample>,
    #[serde(skip)]
    pub(crate) latencies: Latencies,
    /// What calls failed with, those of the warm-up too.
    pub(crate) failures: Vec<String>,
}

/// All slices with so many concurrent tasks.
#[derive(Debug, Serialize)]
pub(crate) struct Level {
    pub(crate) concurrent: usize,
    pub(crate) rows: Vec<Row>,
}

impl Row {
    pub(crate) fn spread(&self, measure: impl Fn(&Sample) -> f64) -> Option<Spread> {
        Spread::of(self.samples.iter().map(measure))
    }
}

impl Level {
    pub(crate) fn row(&self, contestant: Contestant) -> Option<&Row> {
        self.rows.iter().find(|row| row.contestant == contestant)
    }

    /// One beside the other, round by round.
    pub(crate) fn ratio(&self, one: Contestant, other: Contestant, measure: impl Fn(&Sample) -> f64) -> Option<Spread> {
        let (one, other) = (&self.row(one)?.samples, &self.row(other)?.samples);
        Spread::of(one.iter().zip(other).map(|(one, other)| measure(one) / measure(other)))
    }
}

pub(crate) async fn measure(
    lanes: &[Lane],
    instances: &Instances,
    concurrent: usize,
    options: &Options,
) -> Result<Level, Failed> {
    let mut teams = Vec::new();
    for lane in lanes {
        let proxy = lane.proxy.as_ref().map(|proxy| vec![proxy.address]);
        let addresses = proxy.as_deref().unwrap_or(&instances.addresses);
        let team = lane.contestant.team(addresses, concurrent).await;
        teams.push(team.map_err(|error| said_by(lane.contestant, &*error))?);
    }
    let rows = lanes.iter().map(|lane| lane.contestant);
    let rows = rows.map(|contestant| Row {
        contestant,
        samples: Vec::new(),
        latencies: Latencies::new(),
        failures: Vec::new(),
    });
    let mut level = Level { concurrent, rows: rows.collect() };
    for round in 0..=options.rounds {
        for turn in 0..lanes.len() {
            let turn = (turn + round) % lanes.len();
            let length = Duration::from_millis(options.slice);
            let slice = slice(&mut *teams[turn], &lanes[turn], instances, length).await;
            let (sample, tally) = slice.map_err(|error| said_by(lanes[turn].contestant, &*error))?;
            let row = &mut level.rows[turn];
            row.failures.extend(tally.failures.iter().map(|error| with_causes(&**error)));
            // The first round opens connections and fills caches.
            if round > 0 {
                row.samples.push(sample);
                row.latencies.add(&tally.latencies);
            }
        }
    }
    Ok(level)
}

async fn slice(
    team: &mut dyn Work,
    lane: &Lane,
    instances: &Instances,
    length: Duration,
) -> Result<(Sample, Tally), Failed> {
    let proxy = lane.proxy.as_ref().and_then(|proxy| proxy.child.id());
    let clocks = || {
        let of = |process: Option<u32>| process.map(cpu::of).unwrap_or_default();
        [cpu::own(), of(proxy), of(instances.child.id())]
    };
    let before = clocks();
    let tally = team.slice(length).await?;
    let after = clocks();
    let calls = tally.latencies.calls() as f64;
    let micros = |clock: usize| (after[clock] - before[clock]).as_secs_f64() * 1e6 / calls;
    let sample = Sample {
        calls_per_second: calls / tally.elapsed.as_secs_f64(),
        client_cpu: micros(0),
        proxy_cpu: micros(1),
        instances_cpu: micros(2),
    };
    Ok((sample, tally))
}

fn said_by(contestant: Contestant, error: &(dyn Error + 'static)) -> Failed {
    format!("{}: {}", contestant.name(), with_causes(error)).into()
}

fn with_causes(error: &(dyn Error + 'static)) -> String {
    let causes = successors(Some(error), |&error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(contestant: Contestant, calls_per_second: &[f64]) -> Row {
        let sample =
            |&calls_per_second| Sample { calls_per_second, client_cpu: 1.0, proxy_cpu: 0.0, instances_cpu: 1.0 };
        let samples = calls_per_second.iter().map(sample).collect();
        Row { contestant, samples, latencies: Latencies::new(), failures: Vec::new() }
    }

    #[test]
    fn ratios_are_taken_within_a_round() {
        // The machine was half as fast in the second round: for both.
        let rows = vec![row(Contestant::Raw, &[100.0, 50.0, 80.0]), row(Contestant::Mainstay, &[90.0, 45.0, 72.0])];
        let level = Level { concurrent: 1, rows };
        let ratio = level.ratio(Contestant::Mainstay, Contestant::Raw, |sample| sample.calls_per_second);
        assert_eq!(ratio, Some(Spread { low: 0.9, median: 0.9, high: 0.9 }));
        assert_eq!(level.ratio(Contestant::Mainstay, Contestant::Nginx, |sample| sample.calls_per_second), None);
    }
}
