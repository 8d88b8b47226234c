//! The auction's form: what it offers, and what stands in it.

use auction::Terms;
use mainstay::Completion;
use mainstay::contracts::bidding::Ask;

/// A choice of when an auction is complete.
#[derive(Debug)]
pub(crate) struct Choice {
    /// What the form sends.
    pub(crate) word: &'static str,
    pub(crate) completion: Completion,
    /// What people read.
    pub(crate) title: &'static str,
}

impl Choice {
    /// All of them, the usual one first.
    pub(crate) const ALL: [Self; 5] = [
        Self::new("everybody", Completion::All, "when all are heard"),
        Self::new("first-1", Completion::First(1), "at the first bid"),
        Self::new("first-2", Completion::First(2), "at the second bid"),
        Self::new("first-3", Completion::First(3), "at the third bid"),
        Self::new("majority", Completion::Majority, "when most have bid"),
    ];

    const fn new(word: &'static str, completion: Completion, title: &'static str) -> Self {
        Self { word, completion, title }
    }

    pub(super) fn of(completion: Completion) -> &'static Self {
        Self::ALL.iter().find(|choice| choice.completion == completion).unwrap_or(&Self::ALL[0])
    }
}

/// What stands in the form.
#[derive(Debug)]
pub(crate) struct Filled {
    pub(crate) item: String,
    pub(crate) condition: String,
    pub(crate) deadline_ms: String,
    /// The word of a [`Choice`].
    pub(crate) complete: String,
}

impl Filled {
    /// As for an auction that there was.
    pub(crate) fn of(lot: &Ask, terms: Terms) -> Self {
        Self {
            item: lot.item.clone(),
            condition: lot.condition.clone(),
            deadline_ms: terms.deadline.as_millis().to_string(),
            complete: Choice::of(terms.completion).word.to_owned(),
        }
    }
}

impl Default for Filled {
    fn default() -> Self {
        Self::of(&Ask::new("car", "good"), Terms::default())
    }
}
