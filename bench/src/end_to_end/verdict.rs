//! What must hold, and whether it did.

use std::fmt::Write;

use super::contestant::Contestant::{self, *};
use super::instructions::Count;
use super::rounds::{Level, Row, Sample};
use crate::stats::Spread;

/// Mainstay's calls per second, at least so many times those of the fastest of each group, where there is enough to do
/// at once.
const AT_LEAST: [(f64, &[Contestant]); 6] = [
    (0.9, &[Raw]),
    (1.3, &[Legacy]),
    (1.4, &[TowerPending, TowerEwma, TowerBreaker]),
    (2.0, &[Reqwest, ReqwestRetry]),
    (2.0, &[Haproxy]),
    (2.0, &[Nginx]),
];
const BUSY: usize = 16;
/// Mainstay's CPU and instructions per call, at most so many times the limit's.
const CPU_AT_MOST: f64 = 1.25;
const INSTRUCTIONS_AT_MOST: f64 = 1.2;

pub(crate) fn lines(levels: &[Level], counts: &[Count]) -> String {
    let mut lines = String::new();
    for level in levels.iter().filter(|level| level.concurrent >= BUSY) {
        let concurrent = level.concurrent;
        for (bound, group) in AT_LEAST {
            let Some(fastest) = fastest(level, group) else { continue };
            let ratio = level.ratio(Mainstay, fastest, |sample| sample.calls_per_second);
            let what = format!("{concurrent} concurrent: calls/s >= {bound:.2} x {}", fastest.title());
            line(&mut lines, &what, ratio, |median| median >= bound);
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

fn fastest(level: &Level, group: &[Contestant]) -> Option<Contestant> {
    let speed = |row: &Row| row.spread(|sample| sample.calls_per_second).map(|spread| spread.median);
    let measured = group.iter().filter_map(|&contestant| Some((contestant, speed(level.row(contestant)?)?)));
    measured.max_by(|one, other| one.1.total_cmp(&other.1)).map(|(contestant, _)| contestant)
}

fn line(lines: &mut String, what: &str, ratio: Option<Spread>, holds: impl Fn(f64) -> bool) {
    if let Some(Spread { low, median, high }) = ratio {
        let verdict = if holds(median) { "holds" } else { "DOES NOT HOLD" };
        let _ = writeln!(lines, "{what:<66}{median:>6.2}  ({low:.2}..{high:.2})  {verdict}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::latency::Latencies;

    fn row(contestant: Contestant, calls_per_second: f64, client_cpu: f64) -> Row {
        let samples = vec![Sample { calls_per_second, client_cpu, proxy_cpu: 0.0, instances_cpu: 1.0 }; 3];
        Row { contestant, samples, latencies: Latencies::new(), failures: Vec::new() }
    }

    #[test]
    fn the_fastest_of_a_group_is_what_counts() {
        let rows = [(Raw, 110.0, 5.0), (Mainstay, 100.0, 7.0), (TowerPending, 60.0, 9.0), (TowerEwma, 75.0, 9.0)];
        let rows = rows.map(|(contestant, calls, cpu)| row(contestant, calls, cpu));
        let lines = lines(&[Level { concurrent: BUSY, rows: rows.into() }], &[]);
        let told = |what: &str| lines.lines().find(|line| line.contains(what)).map(|line| line.contains("DOES NOT"));
        assert_eq!(told("calls/s >= 0.90 x raw"), Some(false));
        assert_eq!(told("calls/s >= 1.40 x legacy + tower P2C peak EWMA"), Some(true));
        assert_eq!(told("client CPU <= 1.25 x raw"), Some(true));
        assert_eq!(lines.lines().count(), 3);
    }

    #[test]
    fn nothing_is_said_of_few_at_once() {
        let rows = vec![row(Raw, 110.0, 5.0), row(Mainstay, 100.0, 7.0)];
        assert_eq!(lines(&[Level { concurrent: BUSY - 1, rows }], &[]), "");
    }
}
