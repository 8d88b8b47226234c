//! How silent and how slow a provider is.

use std::error::Error;
use std::fmt;
use std::ops::RangeInclusive;
use std::time::Duration;

/// How a provider answers.
///
/// | | Default |
/// |---|---|
/// | silent | half of the time |
/// | delay of an answer | 0 to 60 s, each as likely |
/// | seed | 0 |
#[derive(Debug, Clone, PartialEq)]
pub struct Manner {
    /// How often it keeps silent: 0 never, 1 always.
    pub silence: f64,
    /// How long it takes for an answer, at least and at most.
    pub delay: RangeInclusive<Duration>,
    /// Other seeds, other answers to the same requests.
    pub seed: u64,
}

impl Default for Manner {
    fn default() -> Self {
        Self { silence: 0.5, delay: Duration::ZERO..=Duration::from_secs(60), seed: 0 }
    }
}

/// The longest that an answer may take.
const LONGEST: Duration = Duration::from_secs(60 * 60);

/// Reads how often a provider is silent, such as `0.5`.
pub(super) fn silence(text: &str) -> Result<f64, BadManner> {
    let share = text.parse().ok().filter(|share| (0.0..=1.0).contains(share));
    share.ok_or_else(|| BadManner(format!("{text:?} is not a number from 0 to 1")))
}

/// Reads how long an answer takes, such as `0s..60s`, or `2s` for always the same.
pub(super) fn delay(text: &str) -> Result<RangeInclusive<Duration>, BadManner> {
    let (least, most) = text.split_once("..").unwrap_or((text, text));
    let read = |text: &str| {
        let duration = humantime::parse_duration(text).map_err(|why| BadManner(format!("{text:?}: {why}")))?;
        let is_short = duration <= LONGEST;
        is_short.then_some(duration).ok_or_else(|| BadManner(format!("{text} is more than an hour")))
    };
    let (least, most) = (read(least)?, read(most)?);
    if least > most {
        return Err(BadManner(format!("{text} ends before it begins")));
    }
    Ok(least..=most)
}

/// A text is no part of a [`Manner`]; says why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadManner(String);

impl fmt::Display for BadManner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for BadManner {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manner_is_read() {
        let seconds = |least, most| Ok(Duration::from_secs(least)..=Duration::from_secs(most));
        assert_eq!((delay("0s..60s"), delay("2s"), delay("0s..1h")), (seconds(0, 60), seconds(2, 2), seconds(0, 3600)));
        assert_eq!((silence("0.5"), silence("0"), silence("1")), (Ok(0.5), Ok(0.0), Ok(1.0)));
    }

    #[test]
    fn what_is_none_is_refused_with_the_reason() {
        for (bad, why) in [
            (delay("6s..0s").map(drop), "6s..0s ends before it begins"),
            (delay("5").map(drop), "time unit needed"),
            (delay("0s..2h").map(drop), "2h is more than an hour"),
            (delay("..").map(drop), "empty"),
            (delay("1s..2s..3s").map(drop), "\"2s..3s\""),
            (silence("1.1").map(drop), "\"1.1\" is not a number from 0 to 1"),
            (silence("NaN").map(drop), "\"NaN\" is not a number"),
            (silence("half").map(drop), "\"half\" is not a number"),
        ] {
            let said = bad.unwrap_err().to_string();
            assert!(said.contains(why), "{said:?} does not say {why:?}");
        }
    }
}
