//! Lengths of time in words, as `1m30s`.

use std::time::Duration;

const UNITS: [(&str, f64); 8] = [
    ("ns", 1e-9),
    ("us", 1e-6),
    ("\u{b5}s", 1e-6),
    ("\u{3bc}s", 1e-6),
    ("ms", 1e-3),
    ("s", 1.0),
    ("m", 60.0),
    ("h", 3600.0),
];

/// Reads numbers, each with its unit; none, if it is not that. What is finer than a microsecond is not kept.
pub(crate) fn parse(text: &str) -> Option<Duration> {
    if text == "0" {
        return Some(Duration::ZERO);
    }
    let (mut rest, mut seconds) = (text, 0.0);
    loop {
        let is_number = |c: char| c.is_ascii_digit() || c == '.';
        let (number, behind) = rest.split_at(rest.find(|c| !is_number(c))?);
        let (unit, behind) = behind.split_at(behind.find(is_number).unwrap_or(behind.len()));
        let (_, one) = UNITS.iter().find(|(name, _)| *name == unit)?;
        seconds += number.parse::<f64>().ok()? * one;
        rest = behind;
        if rest.is_empty() {
            let whole = Duration::try_from_secs_f64(seconds).ok()? + Duration::from_nanos(500);
            return Some(Duration::from_micros(u64::try_from(whole.as_micros()).ok()?));
        }
    }
}

/// Writes it so that it is read again as the same, down to a microsecond.
pub(crate) fn text(span: Duration) -> String {
    match span.subsec_micros() {
        0 => format!("{}s", span.as_secs()),
        micros if micros % 1000 == 0 => format!("{}ms", span.as_millis()),
        _ => format!("{}us", span.as_micros()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_time_are_read_as_go_reads_them_and_as_they_are_written() {
        for (said, millis) in [
            ("10s", 10_000),
            ("1m30s", 90_000),
            ("500ms", 500),
            ("1.5h", 5_400_000),
            ("120000ms", 120_000),
            ("0", 0),
            ("0s", 0),
            ("1h0m0.5s", 3_600_500),
            ("2000\u{b5}s", 2),
        ] {
            let span = Duration::from_millis(millis);
            assert_eq!(parse(said), Some(span), "{said}");
            assert_eq!(parse(&text(span)), Some(span), "{said}");
        }
        for wrong in
            ["", "s", "10", "-1s", "1d", "1 s", "1s2", "1..5s", ".s", "1e9s", "99999999999999999999h", "\u{df}"]
        {
            assert_eq!(parse(wrong), None, "{wrong:?}");
        }
    }
}
