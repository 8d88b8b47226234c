//! Numbers as people read them.

use std::time::Duration;

use crate::page::Source;

/// `1 instance`, `2 instances`.
pub(super) fn count(number: usize, of: &str) -> String {
    format!("{number} {of}{}", if number == 1 { "" } else { "s" })
}

/// `470,000`: a sum that is read at a glance.
pub(super) fn amount(amount: u64) -> String {
    let digits = amount.to_string();
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// A reason as the console says it, begun as people begin.
pub(super) fn sentence(reason: &str) -> String {
    let mut letters = reason.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// `34 s`, `5 min`.
pub(super) fn seconds(duration: Duration) -> String {
    match duration.as_secs() {
        seconds @ 0..120 => format!("{seconds} s"),
        seconds => format!("{} min", seconds / 60),
    }
}

/// An age, or nothing.
pub(super) fn ago(age: Option<Duration>) -> String {
    age.map(seconds).unwrap_or_default()
}

/// A countdown: it says 1 s until it is over.
pub(super) fn until(left: Duration) -> String {
    format!("{} s", left.as_millis().div_ceil(1000))
}

/// `02:10`, or `1:02:10`.
pub(super) fn clock(since: Duration) -> String {
    let (hours, minutes, seconds) = (since.as_secs() / 3600, since.as_secs() / 60 % 60, since.as_secs() % 60);
    if hours > 0 { format!("{hours}:{minutes:02}:{seconds:02}") } else { format!("{minutes:02}:{seconds:02}") }
}

/// Where a rating comes from, as `data-from` and the JSON say it.
pub(super) fn source(source: Source) -> &'static str {
    match source {
        Source::Live => "live",
        Source::LastGood => "last-good",
        Source::None => "none",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_read_well() {
        let read = [0, 999, 33_000, 470_000, 1_000_000, u64::MAX].map(amount);
        assert_eq!((sentence("no bid"), sentence("")), ("No bid".to_owned(), String::new()));
        assert_eq!(read, ["0", "999", "33,000", "470,000", "1,000,000", "18,446,744,073,709,551,615"]);
    }

    #[test]
    fn durations_read_well() {
        assert_eq!(
            [0, 34, 119, 120, 599].map(|s| seconds(Duration::from_secs(s))),
            ["0 s", "34 s", "119 s", "2 min", "9 min"]
        );
        assert_eq!([1, 1000, 1001, 30_000].map(|ms| until(Duration::from_millis(ms))), ["1 s", "1 s", "2 s", "30 s"]);
        assert_eq!([0, 130, 3730].map(|s| clock(Duration::from_secs(s))), ["00:00", "02:10", "1:02:10"]);
        assert_eq!([0, 1, 2].map(|n| count(n, "instance")), ["0 instances", "1 instance", "2 instances"]);
    }
}
