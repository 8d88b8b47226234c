//! Which instance numbers are free.

use std::collections::BTreeMap;

/// The free numbers from 1 on, as ranges: giving out the lowest and taking one back cost the same for ten
/// instances and ten thousand, which counting up from 1 would not.
#[derive(Debug)]
pub(super) struct Numbers {
    /// First and last of each free range; ranges neither touch nor overlap.
    free: BTreeMap<u32, u32>,
}

impl Default for Numbers {
    fn default() -> Self {
        Self { free: BTreeMap::from([(1, u32::MAX)]) }
    }
}

impl Numbers {
    /// The lowest free number. There is one: a service is full long before the numbers are.
    pub(super) fn lowest(&self) -> u32 {
        self.free.keys().next().copied().unwrap_or(u32::MAX)
    }

    /// Takes a number, if it is free.
    pub(super) fn take(&mut self, number: u32) -> bool {
        let Some((&first, &last)) = self.free.range(..=number).next_back() else {
            return false;
        };
        if last < number {
            return false;
        }
        self.free.remove(&first);
        if first < number {
            self.free.insert(first, number - 1);
        }
        if number < last {
            self.free.insert(number + 1, last);
        }
        true
    }

    /// Gives back a number that was taken.
    pub(super) fn release(&mut self, number: u32) {
        let (mut first, mut last) = (number, number);
        if let Some((&below, &end)) = self.free.range(..number).next_back()
            && end.checked_add(1) == Some(number)
        {
            first = below;
        }
        if let Some(end) = number.checked_add(1).and_then(|above| self.free.remove(&above)) {
            last = end;
        }
        self.free.insert(first, last);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn numbers_agree_with_a_plain_set(steps in prop::collection::vec((any::<bool>(), 1u32..12), 0..200)) {
            let (mut numbers, mut taken) = (Numbers::default(), BTreeSet::new());
            for (take, number) in steps {
                if take {
                    prop_assert_eq!(numbers.take(number), taken.insert(number));
                } else if taken.remove(&number) {
                    numbers.release(number);
                }
                let lowest = (1..).find(|number| !taken.contains(number));
                prop_assert_eq!(Some(numbers.lowest()), lowest);
            }
        }
    }

    #[test]
    fn the_highest_number_comes_and_goes() {
        let mut numbers = Numbers::default();
        assert!(numbers.take(u32::MAX));
        assert!(!numbers.take(u32::MAX));
        numbers.release(u32::MAX);
        assert!(numbers.take(u32::MAX));
        assert!(!numbers.take(0));
    }
}
