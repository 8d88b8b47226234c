//! A table for a terminal.

use std::fmt::Write;

use super::rounds::Row;

/// The first row is ours; the last column says how many times the other's speed it has.
pub(crate) fn of(what: &str, callers: u16, rows: &[Row]) -> String {
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
