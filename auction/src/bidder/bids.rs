//! What a bidder pays.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt;
use std::str::FromStr;

/// What a bidder pays for a thing in each condition; it does not want a thing in any other.
///
/// As a text: `good=350000,bad=33000`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Bids(BTreeMap<String, u64>);

impl Bids {
    /// The usual bids of the bidder of this number:
    ///
    /// | Bidder | good | bad |
    /// |---|---|---|
    /// | 1 | 350000 | 33000 |
    /// | 2 | 470000 | 42000 |
    /// | 3 | 440000 | 43000 |
    /// | n | 400000 + 20000 n | 40000 + 1000 n |
    ///
    /// So each that joins the first three bids more than all before it.
    pub fn of(number: u32) -> Self {
        let (good, bad) = match number {
            1 => (350_000, 33_000),
            2 => (470_000, 42_000),
            3 => (440_000, 43_000),
            _ => (400_000 + 20_000 * u64::from(number), 40_000 + 1_000 * u64::from(number)),
        };
        Self(BTreeMap::from([("good".to_owned(), good), ("bad".to_owned(), bad)]))
    }

    /// What it pays for a thing in this condition, if it wants it.
    pub fn amount(&self, condition: &str) -> Option<u64> {
        self.0.get(condition).copied()
    }
}

impl FromStr for Bids {
    type Err = BadBids;

    fn from_str(text: &str) -> Result<Self, BadBids> {
        let mut bids = BTreeMap::new();
        for part in text.split(',') {
            let refuse = |why| Err(BadBids { part: part.to_owned(), why });
            let Some((condition, amount)) = part.split_once('=') else {
                return refuse("is not CONDITION=AMOUNT");
            };
            if condition.is_empty() {
                return refuse("names no condition");
            }
            let Ok(amount) = amount.parse() else {
                return refuse("has an amount that is not a whole number from 0 on");
            };
            if bids.insert(condition.to_owned(), amount).is_some() {
                return refuse("names a condition a second time");
            }
        }
        Ok(Self(bids))
    }
}

impl fmt::Display for Bids {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, (condition, amount)) in self.0.iter().enumerate() {
            let comma = if at == 0 { "" } else { "," };
            write!(f, "{comma}{condition}={amount}")?;
        }
        Ok(())
    }
}

/// A text is not [`Bids`]; says which part of it and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadBids {
    part: String,
    why: &'static str,
}

impl fmt::Display for BadBids {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} {}", self.part, self.why)
    }
}

impl Error for BadBids {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_bids_are_those_of_the_story_and_a_newcomer_bids_more() {
        for (number, good, bad) in [(1, 350_000, 33_000), (2, 470_000, 42_000), (3, 440_000, 43_000)] {
            let bids = Bids::of(number);
            assert_eq!((bids.amount("good"), bids.amount("bad")), (Some(good), Some(bad)), "{number}");
            assert_eq!((bids.amount("medium"), bids.amount("Good"), bids.amount("")), (None, None, None));
        }
        for condition in ["good", "bad"] {
            let amounts: Vec<_> = (1..=5).map(|number| Bids::of(number).amount(condition)).collect();
            assert!(amounts[3] > amounts[..3].iter().copied().max().flatten(), "{condition}: {amounts:?}");
            assert!(amounts[4] > amounts[3], "{condition}: {amounts:?}");
        }
        assert!(Bids::of(u32::MAX).amount("good").is_some());
    }

    #[test]
    fn bids_are_written_as_they_are_read() {
        for (text, written) in [
            ("good=350000,bad=33000", "bad=33000,good=350000"),
            ("x=0", "x=0"),
            ("as new=18446744073709551615", "as new=18446744073709551615"),
        ] {
            let bids: Bids = text.parse().unwrap();
            assert_eq!(bids.to_string(), written);
            assert_eq!(written.parse::<Bids>().unwrap(), bids);
        }
    }

    #[test]
    fn what_are_no_bids_is_refused_with_the_reason() {
        for (text, why) in [
            ("", "\"\" is not CONDITION=AMOUNT"),
            ("good", "\"good\" is not CONDITION=AMOUNT"),
            ("good=1,", "\"\" is not CONDITION=AMOUNT"),
            ("=1", "names no condition"),
            ("good=", "not a whole number"),
            ("good=-1", "not a whole number"),
            ("good=1.5", "not a whole number"),
            ("good=18446744073709551616", "not a whole number"),
            ("good=1,good=2", "\"good=2\" names a condition a second time"),
        ] {
            let error = text.parse::<Bids>().unwrap_err().to_string();
            assert!(error.contains(why), "{text:?}: {error:?} does not say {why:?}");
        }
    }
}
