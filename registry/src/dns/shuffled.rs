//! Some of many, in an order by chance.

use std::collections::HashMap;

/// The numbers below `count`, each once, in an order by chance that is found as it is read: the first few of ten thousand
/// cost what the first few of ten do.
///
/// It is the shuffle of Fisher and Yates, of which only the places that were touched are remembered. To begin somewhere
/// and go on from there would be simpler, and neighbours would always meet.
pub(super) fn shuffled(count: usize) -> impl Iterator<Item = usize> {
    let mut moved = HashMap::new();
    (0..count).map(move |place| {
        let other = fastrand::usize(place..count);
        let here = moved.remove(&place).unwrap_or(place);
        if other == place { here } else { moved.insert(other, here).unwrap_or(other) }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_comes_once() {
        for count in [0, 1, 2, 3, 100] {
            let mut all: Vec<_> = shuffled(count).collect();
            all.sort_unstable();
            assert_eq!(all, (0..count).collect::<Vec<_>>());
        }
    }

    #[test]
    fn every_order_is_as_likely_as_another() {
        let mut seen = HashMap::<Vec<usize>, u32>::new();
        (0..24_000).for_each(|_| *seen.entry(shuffled(4).collect()).or_default() += 1);
        assert_eq!(seen.len(), 24);
        // Eight times what chance makes them differ by.
        assert!(seen.values().all(|times| (750..=1_250).contains(times)), "{seen:?}");
    }

    #[test]
    fn the_first_of_ten_thousand_is_any_of_them() {
        let mut seen = [0_u32; 10];
        (0..10_000).for_each(|_| seen[shuffled(10_000).next().unwrap() / 1_000] += 1);
        assert!(seen.iter().all(|times| (750..=1_250).contains(times)), "{seen:?}");
    }
}
