//! Numbers as tasks have them: whole ones are exact however long, others are IEEE doubles, and all are written in plain
//! digits.
//!
//! `serde_json`'s own numbers end at 64 bits, and become doubles beyond.

use std::fmt;
use std::ops::{Add, Mul, Sub};

use num_bigint::BigInt;

/// The longest number, in characters. Longer ones take more than no time to read.
const LIMIT: usize = 1000;

/// A number of a task.
#[derive(Debug, Clone, PartialEq)]
pub struct Number(Kept);

#[derive(Debug, Clone, PartialEq)]
enum Kept {
    Whole(BigInt),
    /// Not whole, or not finite.
    Double(f64),
}

impl Number {
    /// A number as JSON writes it.
    ///
    /// # Errors
    /// When it has more than 1000 characters, or is beyond what a double holds.
    pub fn read(literal: &str) -> Result<Self, String> {
        if literal.len() > LIMIT {
            return Err(format!("a number may have {LIMIT} characters at most, not {}", literal.len()));
        }
        if let Ok(whole) = literal.parse() {
            return Ok(Self(Kept::Whole(whole)));
        }
        let double: f64 = literal.parse().map_err(|_| format!("{literal:?} is no number"))?;
        Self::from(double).finite()
    }

    /// This number, unless it is beyond what a double holds.
    ///
    /// # Errors
    /// When it is.
    pub fn finite(self) -> Result<Self, String> {
        match self.0 {
            Kept::Double(double) if !double.is_finite() => Err("it is too large: beyond 308 digits".to_owned()),
            _ => Ok(self),
        }
    }

    /// Is it 0?
    pub fn is_zero(&self) -> bool {
        self.0 == Kept::Whole(BigInt::ZERO)
    }

    /// This number, divided by another that is not 0.
    pub(super) fn over(self, divisor: Self) -> Self {
        match (self.0, divisor.0) {
            (Kept::Whole(a), Kept::Whole(b)) if &a % &b == BigInt::ZERO => Self(Kept::Whole(a / b)),
            (a, b) => Self::from(Self(a).double() / Self(b).double()),
        }
    }

    fn double(&self) -> f64 {
        match &self.0 {
            // Through its digits, as that is rounded as it should be.
            Kept::Whole(whole) => whole.to_string().parse().unwrap_or(f64::NAN),
            Kept::Double(double) => *double,
        }
    }

    fn with(self, other: Self, whole: fn(BigInt, BigInt) -> BigInt, double: fn(f64, f64) -> f64) -> Self {
        match (self.0, other.0) {
            (Kept::Whole(a), Kept::Whole(b)) => Self(Kept::Whole(whole(a, b))),
            (a, b) => Self::from(double(Self(a).double(), Self(b).double())),
        }
    }
}

impl From<f64> for Number {
    fn from(double: f64) -> Self {
        // Both 5.0 and 5 are 5, and there is no -0. A large one is the number that its digits say: written and read again,
        // it is still the same.
        let whole = (double.trunc() == double).then(|| double.to_string().parse());
        match whole {
            Some(Ok(whole)) => Self(Kept::Whole(whole)),
            _ => Self(Kept::Double(double)),
        }
    }
}

impl Add for Number {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        self.with(other, Add::add, Add::add)
    }
}

impl Sub for Number {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        self.with(other, Sub::sub, Sub::sub)
    }
}

impl Mul for Number {
    type Output = Self;

    fn mul(self, other: Self) -> Self {
        self.with(other, Mul::mul, Mul::mul)
    }
}

/// Never with an exponent. A double has the fewest digits that say which one it is.
impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kept::Whole(whole) => whole.fmt(f),
            Kept::Double(double) => double.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(literal: &str) -> Result<String, String> {
        Number::read(literal).map(|number| number.to_string())
    }

    #[test]
    fn numbers_are_written_in_plain_digits() {
        for (literal, written) in [
            ("5", "5"),
            ("-3", "-3"),
            ("5.0", "5"),
            ("1e3", "1000"),
            ("1E+3", "1000"),
            ("2.5e-1", "0.25"),
            ("0", "0"),
            ("-0", "0"),
            ("-0.0", "0"),
            ("0.1", "0.1"),
            ("9007199254740993", "9007199254740993"),
            ("9007199254740993.0", "9007199254740992"),
            ("123456789012345678901234567890", "123456789012345678901234567890"),
            ("1e21", "1000000000000000000000"),
            ("1e-7", "0.0000001"),
        ] {
            assert_eq!(read(literal).as_deref(), Ok(written), "{literal}");
        }
        let digits = "7".repeat(LIMIT);
        assert_eq!(read(&digits), Ok(digits));
    }

    #[test]
    fn a_number_that_is_written_and_read_again_is_the_same() {
        for literal in ["1e200", "-1.7e308", "12345678901234567890.5", "9007199254740993.0", "0.1", "2.5e-10", "1e21"] {
            let number = Number::read(literal).unwrap();
            assert_eq!(Number::read(&number.to_string()), Ok(number), "{literal}");
        }
    }

    #[test]
    fn what_cannot_be_held_is_refused() {
        assert!(read("1e309").unwrap_err().contains("too large"));
        assert!(read("-1e309").unwrap_err().contains("too large"));
        assert!(read(&"7".repeat(LIMIT + 1)).unwrap_err().contains("1000 characters at most, not 1001"));
    }
}
