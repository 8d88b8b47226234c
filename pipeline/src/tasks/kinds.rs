//! What kinds of tasks there are. To add one: a line here, and its function.

use super::Number;

/// A kind of task.
#[derive(Debug)]
pub struct Kind {
    /// The first letter of both its properties' names.
    pub letter: char,
    /// What it does, in one word.
    pub name: &'static str,
    /// Does it with two numbers, or says why that cannot be done. Two texts are concatenated, whatever the kind.
    pub function: fn(Number, Number) -> Result<Number, String>,
}

/// All of them.
pub const KINDS: &[Kind] = &[
    Kind { letter: 'a', name: "add", function: |a, b| Ok(a + b) },
    Kind { letter: 's', name: "subtract", function: |a, b| Ok(a - b) },
    Kind { letter: 'm', name: "multiply", function: |a, b| Ok(a * b) },
    Kind { letter: 'd', name: "divide", function: divide },
];

fn divide(a: Number, b: Number) -> Result<Number, String> {
    if b.is_zero() {
        return Err("division by zero".to_owned());
    }
    Ok(a.over(b))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_kind_has_a_letter_of_its_own() {
        let letters: HashSet<_> = KINDS.iter().map(|kind| kind.letter).collect();
        assert_eq!(letters.len(), KINDS.len());
    }
}
