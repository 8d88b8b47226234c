//! Lengths of time in words, as `1m30s`.

use std::time::Duration;

const UNITS: [(&str, f64); 7] =
    [("ns", 1e-9), ("us", 1e-6), ("µs", 1e-6), ("ms", 1e-3), ("s", 1.0), ("m", 60.0), ("h", 3600.0)];

/// Reads numbers, each with its unit: `15s`, `1.5h`, `1m30s`. None if it is not that.
pub(super) fn parse(text: &str) -> Option<Duration> {
    if text == "0" {
        return Some(Duration::ZERO);
    }
    let (mut rest, mut seconds) = (text, 0.0);
    while !rest.is_empty() {
        let unit_at = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, behind) = rest.split_at(unit_at);
        let unit_end = behind.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(behind.len());
        let (unit, behind) = behind.split_at(unit_end);
        let (_, of_one) = UNITS.iter().find(|(name, _)| *name == unit)?;
        seconds += number.parse::<f64>().ok()? * of_one;
        rest = behind;
    }
    if text.is_empty() {
        return None;
    }
    // Not to the last of its bits, which no length of ours needs.
    Duration::try_from_secs_f64(seconds).ok().map(|span| Duration::from_millis(rounded(span)))
}

fn rounded(span: Duration) -> u64 {
    u64::try_from((span + Duration::from_micros(500)).as_millis()).unwrap_or(u64::MAX)
}

/// Writes it so that it is read again as the same.
pub(super) fn text(span: Duration) -> String {
    match span.subsec_millis() {
        0 => format!("{}s", span.as_secs()),
        _ => format!("{}ms", span.as_millis()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_read_as_it_is_written() {
        for (said, millis) in
            [("15s", 15_000), ("1m30s", 90_000), ("1.5h", 5_400_000), ("250ms", 250), ("0s", 0), ("0", 0), ("1us", 0)]
        {
            let span = parse(said).unwrap_or_else(|| panic!("{said} is not read"));
            assert_eq!(span, Duration::from_millis(millis), "{said}");
            assert_eq!(parse(&text(span)), Some(span));
        }
        for wrong in
            ["", "s", "15", "15 s", "-1s", "1d", "1s2", "1..5s", ".s", "1e9999h", "9999999999999999999999h", "ß"]
        {
            assert_eq!(parse(wrong), None, "{wrong:?}");
        }
    }
}
