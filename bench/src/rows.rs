//! What the slices of each side came to, and a table of it for a terminal.

use std::fmt::Write;

use crate::latency::Latencies;
use crate::stats::Spread;

/// All slices of one side.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) title: &'static str,
    pub(crate) per_second: Vec<f64>,
    pub(crate) latencies: Latencies,
}

impl Row {
    pub(crate) fn new(title: &'static str) -> Self {
        Self { title, per_second: Vec::new(), latencies: Latencies::new() }
    }

    pub(crate) fn spread(&self) -> Option<Spread> {
        Spread::of(self.per_second.iter().copied())
    }

    /// One beside the other, round by round.
    pub(crate) fn ratio(&self, other: &Self) -> Option<Spread> {
        Spread::of(self.per_second.iter().zip(&other.per_second).map(|(one, other)| one / other))
    }
}

/// The first row is ours; the last column says how many times the other's speed it has.
pub(crate) fn table(what: &str, callers: u16, rows: &[Row]) -> String {
    let mut table = format!("{what}, {callers} at once, medians (ratios are medians of those within each round)\n");
    let mut line = |title: &str, columns: [String; 5]| {
        let [speed, quartiles, p50, p99, ours] = columns;
        let _ = writeln!(table, "{title:<36}{speed:>9}{quartiles:>15}{p50:>10}{p99:>10}{ours:>16}");
    };
    line("", ["per s", "quartiles", "p50", "p99", "mainstay is"].map(str::to_owned));
    for (place, row) in rows.iter().enumerate() {
        let Some(speed) = row.spread() else { continue };
        let micros = |share: f64| format!("{:.0} µs", row.latencies.within(share).as_secs_f64() * 1e6);
        let ours = rows.first().filter(|_| place > 0).and_then(|ours| ours.ratio(row));
        line(
            row.title,
            [
                format!("{:.1} k", speed.median / 1e3),
                format!("{:.1}..{:.1}", speed.low / 1e3, speed.high / 1e3),
                micros(0.5),
                micros(0.99),
                ours.map_or_else(|| "-".to_owned(), |ratio| format!("{:.2} x", ratio.median)),
            ],
        );
    }
    table
}
