//! What a gather brought.

use std::fmt;
use std::time::Duration;

use super::{Completion, Outcome};
use crate::call::Fetched;

/// One leg: who or what was asked, and what came of it.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Leg<K, T> {
    /// The instance, or the caller's own key.
    pub key: K,
    /// What came of it.
    pub outcome: Outcome<T>,
    /// When it ended, after the gather began.
    pub at: Duration,
}

/// A whole gather: every leg, in the order in which they were asked.
///
/// `Display` sums it up: `3 of 5 within 1000 ms`.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Gathered<K, T> {
    pub(super) legs: Vec<Leg<K, T>>,
    /// What it was to wait for.
    pub completion: Completion,
    /// The longest it might have taken.
    pub deadline: Duration,
    /// How long it took.
    pub elapsed: Duration,
}

impl<K, T> Gathered<K, T> {
    /// Every leg: instances by number, calls as they were given.
    pub fn legs(&self) -> &[Leg<K, T>] {
        &self.legs
    }

    /// Every leg, to take apart.
    pub fn into_legs(self) -> Vec<Leg<K, T>> {
        self.legs
    }

    /// The leg under this key; the first, if there are several.
    pub fn leg(&self, key: &K) -> Option<&Leg<K, T>>
    where
        K: PartialEq,
    {
        self.legs.iter().find(|leg| leg.key == *key)
    }

    /// The answers, in the order of the legs: fold them by whatever rule you like.
    pub fn answers(&self) -> impl DoubleEndedIterator<Item = (&K, &Fetched<T>)> {
        self.legs.iter().filter_map(|leg| Some((&leg.key, leg.outcome.answer()?)))
    }

    /// The answer that is highest by this measure; of equal ones, the first.
    pub fn highest<M: Ord>(&self, measure: impl Fn(&T) -> M) -> Option<(&K, &Fetched<T>)> {
        // Of equal ones, `max_by_key` takes the last.
        self.answers().rev().max_by_key(|(_, fetched)| measure(&fetched.value))
    }

    /// The answer that is lowest by this measure; of equal ones, the first.
    pub fn lowest<M: Ord>(&self, measure: impl Fn(&T) -> M) -> Option<(&K, &Fetched<T>)> {
        self.answers().min_by_key(|(_, fetched)| measure(&fetched.value))
    }

    /// Have as many legs answered as its [`Completion`] wants? All of them, unless said otherwise.
    pub fn is_complete(&self) -> bool {
        self.answers().count() >= self.completion.wanted(self.legs.len())
    }
}

impl Completion {
    /// How many answers make a gather of so many legs complete.
    pub(super) fn wanted(self, legs: usize) -> usize {
        match self {
            Self::All => legs,
            Self::First(wanted) | Self::Quorum(wanted) => wanted,
            Self::Majority => legs / 2 + 1,
        }
    }
}

impl<K, T> fmt::Display for Gathered<K, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (answers, legs) = (self.answers().count(), self.legs.len());
        write!(f, "{answers} of {legs} within {} ms", self.deadline.as_millis())
    }
}
