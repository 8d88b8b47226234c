//! By what a delivery is settled.

use std::fmt;
use std::str::FromStr;

/// Names one delivery of one message, in one run of the engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Receipt {
    /// The how-manieth run.
    pub(super) run: u64,
    /// Which message of the channel.
    pub(super) seq: i64,
    /// Which delivery of this run.
    pub(super) delivery: u64,
}

impl fmt::Display for Receipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}-{}", self.run, self.seq, self.delivery)
    }
}

/// No delivery was ever named so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Foreign;

impl FromStr for Receipt {
    type Err = Foreign;

    fn from_str(text: &str) -> Result<Self, Foreign> {
        let mut parts = text.splitn(3, '-');
        let mut next = || parts.next().ok_or(Foreign);
        let run = next()?.parse().map_err(|_| Foreign)?;
        let seq = next()?.parse().map_err(|_| Foreign)?;
        let delivery = next()?.parse().map_err(|_| Foreign)?;
        Ok(Self { run, seq, delivery })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_receipt_is_read_as_it_was_written() {
        let receipt = Receipt { run: 3, seq: (7 << 40) + 1, delivery: u64::MAX };
        assert_eq!(receipt.to_string().parse(), Ok(receipt));
    }

    #[test]
    fn what_is_no_receipt_is_foreign() {
        for text in
            ["", "-", "1-2", "1-2-", "1-2-x", "1-2-3-4", "-1-2-3", "1--2-3-4", "receipt", "1-2-18446744073709551616"]
        {
            assert_eq!(text.parse::<Receipt>(), Err(Foreign), "{text}");
        }
    }
}
