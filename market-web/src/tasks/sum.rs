//! A task as people write it: an operation and its two operands.

use pipeline::tasks::KINDS;
use serde_json::value::RawValue;

/// What stands in the form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sum {
    pub(crate) first: String,
    /// The letter of an operation.
    pub(crate) letter: char,
    pub(crate) second: String,
}

impl Default for Sum {
    fn default() -> Self {
        Self { first: "5".to_owned(), letter: KINDS[0].letter, second: "10".to_owned() }
    }
}

impl Sum {
    /// The task: numbers where both operands are some, else texts.
    pub(crate) fn request(&self) -> serde_json::Result<Box<RawValue>> {
        let Self { first, letter, second } = self;
        let both = [first, second];
        let [first, second] = if both.into_iter().all(|operand| is_number(operand)) {
            both.map(String::clone)
        } else {
            [serde_json::to_string(first)?, serde_json::to_string(second)?]
        };
        RawValue::from_string(format!(r#"{{"{letter}1":{first},"{letter}2":{second}}}"#))
    }

    /// Another one, for each number another.
    pub(crate) fn varied(&self, by: i64) -> Self {
        let first = match self.first.parse::<i64>() {
            Ok(first) => first.wrapping_add(by).to_string(),
            // Of a number with a fraction this makes one with a longer fraction.
            Err(_) => format!("{}{by}", self.first),
        };
        Self { first, ..self.clone() }
    }
}

fn is_number(text: &str) -> bool {
    let starts = text.starts_with(|first: char| first == '-' || first.is_ascii_digit());
    starts && serde_json::from_str::<&RawValue>(text).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sum(first: &str, second: &str) -> Sum {
        Sum { first: first.to_owned(), second: second.to_owned(), ..Sum::default() }
    }

    #[test]
    fn a_sum_is_a_task() {
        for (first, second, task) in [
            ("5", "10", r#"{"a1":5,"a2":10}"#),
            ("-0.5e3", "18446744073709551616", r#"{"a1":-0.5e3,"a2":18446744073709551616}"#),
            ("a", "b", r#"{"a1":"a","a2":"b"}"#),
            ("5", "b", r#"{"a1":"5","a2":"b"}"#),
            ("05", "1", r#"{"a1":"05","a2":"1"}"#),
            ("{}", "\"}", r#"{"a1":"{}","a2":"\"}"}"#),
            ("true", "null", r#"{"a1":"true","a2":"null"}"#),
        ] {
            assert_eq!(sum(first, second).request().unwrap().get(), task);
        }
    }

    #[test]
    fn varied_sums_are_all_different_and_still_tasks() {
        for first in ["5", "a", "2.5", "9223372036854775807", "12345678901234567890"] {
            let all = (0..30).map(|by| sum(first, "1").varied(by).request().unwrap().get().to_owned());
            assert_eq!(all.collect::<std::collections::HashSet<_>>().len(), 30, "{first}");
        }
        assert_eq!(sum("5", "1").varied(0), sum("5", "1"));
    }
}
