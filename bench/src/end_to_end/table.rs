//! Tables for a terminal.

use std::fmt::Write;

use super::contestant::Contestant::{Mainstay, Raw};
use super::instructions::Count;
use super::rounds::{Level, Row, Sample};

/// What is shown where there is nothing to compare with.
const NOTHING: &str = "-";

pub(crate) fn level(level: &Level) -> String {
    let mut table =
        format!("{} concurrent, medians (ratios are medians of those within each round)\n", level.concurrent);
    let columns =
        ["calls/s", "quartiles", "x raw", "client CPU", "x raw", "proxy CPU", "all CPU", "p50", "p99", "mainstay is"];
    line(&mut table, "", columns.map(str::to_owned));
    for row in &level.rows {
        line(&mut table, row.contestant.title(), cells(level, row));
    }
    for row in &level.rows {
        if let Some(first) = row.failures.first() {
            let _ =
                writeln!(table, "{}: {} calls failed, the first: {first}", row.contestant.title(), row.failures.len());
        }
    }
    table
}

fn cells(level: &Level, row: &Row) -> [String; 10] {
    let calls = |sample: &Sample| sample.calls_per_second;
    let client = |sample: &Sample| sample.client_cpu;
    let all = |sample: &Sample| sample.client_cpu + sample.proxy_cpu + sample.instances_cpu;
    let median = |measure: fn(&Sample) -> f64| row.spread(measure).map(|spread| spread.median);
    let beside_raw = |measure: fn(&Sample) -> f64| level.ratio(row.contestant, Raw, measure).map(|ratio| ratio.median);
    let ours = level.ratio(Mainstay, row.contestant, calls).filter(|_| row.contestant != Mainstay);
    let latency = |share: f64| format!("{:.0} µs", row.latencies.within(share).as_secs_f64() * 1e6);
    [
        shown(median(calls), |calls| format!("{:.1} k", calls / 1e3)),
        shown(row.spread(calls), |spread| format!("{:.1}..{:.1}", spread.low / 1e3, spread.high / 1e3)),
        shown(beside_raw(calls), times),
        shown(median(client), micros),
        shown(beside_raw(client), times),
        shown(median(|sample| sample.proxy_cpu).filter(|cpu| *cpu > 0.0), micros),
        shown(median(all), micros),
        latency(0.5),
        latency(0.99),
        shown(ours, |ratio| format!("{:.2} x", ratio.median)),
    ]
}

pub(crate) fn instructions(counts: &[Count]) -> String {
    let mut table = "instructions per call, client side, one at a time (callgrind)\n".to_owned();
    let raw = counts.iter().find(|count| count.contestant == Raw);
    for count in counts {
        let beside_raw = shown(raw, |raw| times(count.per_call / raw.per_call));
        let per_call = format!("{:.1} k", count.per_call / 1e3);
        let _ = writeln!(table, "{:<31}{per_call:>9}  {beside_raw:>6} x raw", count.contestant.title());
    }
    table
}

fn line(table: &mut String, title: &str, [calls, quartiles, x, client, y, proxy, all, p50, p99, ours]: [String; 10]) {
    let _ = writeln!(
        table,
        "{title:<31}{calls:>9}{quartiles:>15}{x:>7}{client:>12}{y:>7}{proxy:>11}{all:>9}{p50:>9}{p99:>9}{ours:>13}"
    );
}

fn shown<T>(value: Option<T>, show: impl FnOnce(T) -> String) -> String {
    value.map_or_else(|| NOTHING.to_owned(), show)
}

fn micros(micros: f64) -> String {
    format!("{micros:.1} µs")
}

fn times(ratio: f64) -> String {
    format!("{ratio:.2}")
}
