//! By what a delivery is settled.

use std::fmt;
use std::str::FromStr;

use super::channel::Mark;

/// In place of a mark, where the channel is not kept: its messages have numbers of their own.
const UNKEPT: i64 = 128;

/// Names one delivery of one message, in one run of the engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Receipt {
    /// To a consumer of which channel.
    pub(super) channel: i64,
    /// Of which run, counted from 1.
    pub(super) run: u64,
    /// Which message of the channel.
    pub(super) seq: i64,
    /// Which delivery of this run.
    pub(super) delivery: u64,
}

impl Receipt {
    /// How a channel is named.
    pub(super) fn channel(mark: Option<Mark>) -> i64 {
        mark.map_or(UNKEPT, Mark::code)
    }
}

impl fmt::Display for Receipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}-{}-{}", self.channel, self.run, self.seq, self.delivery)
    }
}

/// No delivery was ever named so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Foreign;

impl FromStr for Receipt {
    type Err = Foreign;

    fn from_str(text: &str) -> Result<Self, Foreign> {
        let mut parts = text.splitn(4, '-');
        let mut next = || parts.next().ok_or(Foreign);
        let channel = next()?.parse().map_err(|_| Foreign)?;
        let run = next()?.parse().map_err(|_| Foreign)?;
        let seq = next()?.parse().map_err(|_| Foreign)?;
        let delivery = next()?.parse().map_err(|_| Foreign)?;
        Ok(Self { channel, run, seq, delivery })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_receipt_is_read_as_it_was_written() {
        let receipt = Receipt { channel: 5, run: 3, seq: (7 << 40) + 1, delivery: u64::MAX };
        assert_eq!(receipt.to_string().parse(), Ok(receipt));
    }

    #[test]
    fn what_is_no_receipt_is_foreign() {
        for text in [
            "",
            "-",
            "1-2-3",
            "1-2-3-",
            "1-2-3-x",
            "1-2-3-4-5",
            "-1-2-3-4",
            "1-2--3-4",
            "receipt",
            "1-2-3-18446744073709551616",
        ] {
            assert_eq!(text.parse::<Receipt>(), Err(Foreign), "{text}");
        }
    }
}
