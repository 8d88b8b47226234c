//! What must hold, and whether it did.

use std::fmt::Write;

use super::contestant::Contestant::{self, *};
use super::instructions::Count;
use super::rounds::{Level, Sample};
use super::stats::Spread;

/// Mainstay's calls per second, at least so many times those of each, where there is enough to do at once.
const AT_LEAST: [(f64, &[Contestant]); 5] = [
    (0.9, &[Raw]),
    (1.3, &[Legacy]),
    (1.4, &[TowerPending, TowerEwma, TowerBreaker]),
    (2.0, &[Reqwest, ReqwestRetry]),
    (2.0, &[Haproxy, Nginx]),
];
const BUSY: usize = 16;
/// Mainstay's CPU and instructions per call, at most so many times the limit's.
const CPU_AT_MOST: f64 = 1.25;
const INSTRUCTIONS_AT_MOST: f64 = 1.2;

pub(crate) fn lines(levels: &[Level], counts: &[Count]) -> String {
    let mut lines = String::new();
    for level in levels.iter().filter(|level| level.concurrent >= BUSY) {
        let concurrent = level.concurrent;
        for (bound, contestants) in AT_LEAST {
            for &contestant in contestants {
                let ratio = level.ratio(Mainstay, contestant, |sample| sample.calls_per_second);
                let what = format!("{concurrent} concurrent: calls/s >= {bound:.2} x {}", contestant.title());
                line(&mut lines, &what, ratio, |median| median >= bound);
            }
        }
        let what = format!("{concurrent} concurrent: client CPU <= {CPU_AT_MOST:.2} x {}", Raw.title());
        let ratio = level.ratio(Mainstay, Raw, |sample: &Sample| sample.client_cpu);
        line(&mut lines, &what, ratio, |median| median <= CPU_AT_MOST);
    }
    let per_call = |contestant| counts.iter().find(|count| count.contestant == contestant).map(|count| count.per_call);
    if let (Some(ours), Some(raw)) = (per_call(Mainstay), per_call(Raw)) {
        let what = format!("instructions <= {INSTRUCTIONS_AT_MOST:.2} x {}", Raw.title());
        line(&mut lines, &what, Spread::of([ours / raw]), |median| median <= INSTRUCTIONS_AT_MOST);
    }
    lines
}

fn line(lines: &mut String, what: &str, ratio: Option<Spread>, holds: impl Fn(f64) -> bool) {
    if let Some(Spread { low, median, high }) = ratio {
        let verdict = if holds(median) { "holds" } else { "DOES NOT HOLD" };
        let _ = writeln!(lines, "{what:<66}{median:>6.2}  ({low:.2}..{high:.2})  {verdict}");
    }
}
