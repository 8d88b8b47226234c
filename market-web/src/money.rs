//! Money is integer cents: no sum of prices is ever off by one.

use std::fmt;
use std::iter::Sum;

use serde::Serialize;

/// An amount of money. Shown as `$119.98`, sent as a number of cents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub(crate) struct Cents(pub(crate) u32);

impl fmt::Display for Cents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "${}.{:02}", self.0 / 100, self.0 % 100)
    }
}

impl Sum for Cents {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        Self(amounts.map(|amount| amount.0).sum())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cents_are_shown_with_two_digits() {
        for (cents, shown) in [(0, "$0.00"), (5, "$0.05"), (1999, "$19.99"), (18996, "$189.96")] {
            assert_eq!(Cents(cents).to_string(), shown);
        }
    }

    #[test]
    fn sums_are_exact() {
        assert_eq!([Cents(1999), Cents(9999)].into_iter().sum::<Cents>().to_string(), "$119.98");
    }
}
