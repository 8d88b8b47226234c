//! What each provider answers. **To add a provider, write its function here, and name it in [`answer`].**
//!
//! An answer follows from the request alone: a provider that is killed is asked again when it is back, and must not
//! change its mind.

use std::time::Duration;

use fastrand::Rng;
use mainstay::contracts::quotes::Rfq;

use super::Manner;

/// A quote, and how long it takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answer {
    /// What the ride would cost.
    pub quote: u32,
    /// How long after it was asked the provider says so.
    pub after: Duration,
}

/// What the provider of this number makes of a request.
pub(super) fn answer(number: u32, manner: &Manner, rfq: &Rfq) -> Option<Answer> {
    match number {
        11 => by_the_letter(rfq),
        _ => by_chance(number, manner, rfq),
    }
}

/// Silent now and then, else a quote from 0 to 100, some time later.
fn by_chance(number: u32, manner: &Manner, rfq: &Rfq) -> Option<Answer> {
    let mut chance = Rng::with_seed(mixed(manner.seed, number, &rfq.id));
    let is_silent = chance.f64() < manner.silence;
    let (least, most) = (manner.delay.start().as_secs_f64(), manner.delay.end().as_secs_f64());
    let after = Duration::from_secs_f64(least + (most - least) * chance.f64());
    let quote = chance.u32(0..=100);
    (!is_silent).then_some(Answer { quote, after })
}

/// At once, and as much as the names of both places have letters.
fn by_the_letter(rfq: &Rfq) -> Option<Answer> {
    let letters = rfq.from.chars().chain(rfq.to.chars()).filter(|letter| letter.is_alphabetic());
    Some(Answer { quote: u32::try_from(letters.count()).ok()?, after: Duration::ZERO })
}

/// FNV-1a, as it is the same in every process and every build: the standard library promises that of none of its own.
fn mixed(seed: u64, number: u32, id: &str) -> u64 {
    let bytes = seed.to_le_bytes().into_iter().chain(number.to_le_bytes()).chain(id.bytes());
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rfq(id: u32) -> Rfq {
        Rfq { id: id.to_string(), from: "Frankfurt".into(), to: "Las Vegas".into(), customer: "cmr".into() }
    }

    #[test]
    fn a_provider_decides_once_for_each_request() {
        let manner = Manner::default();
        let decide = |number, manner: &Manner| (0..20).map(|id| answer(number, manner, &rfq(id))).collect::<Vec<_>>();
        assert_eq!(decide(1, &manner), decide(1, &manner));
        assert_ne!(decide(1, &manner), decide(2, &manner));
        assert_ne!(decide(1, &manner), decide(1, &Manner { seed: 1, ..manner.clone() }));
    }

    #[test]
    fn half_are_silent_and_the_others_are_spread_evenly() {
        let answers: Vec<_> = (0..10_000).map(|id| answer(id % 10, &Manner::default(), &rfq(id))).collect();
        let heard: Vec<_> = answers.iter().flatten().collect();
        assert!((4_800..=5_200).contains(&heard.len()), "{}", heard.len());
        for tenth in 0..10 {
            let within = |value: f64, most: f64| (value / most * 10.0) as u32 == tenth;
            let delays = heard.iter().filter(|answer| within(answer.after.as_secs_f64(), 60.0)).count();
            let quotes = heard.iter().filter(|answer| within(answer.quote.into(), 101.0)).count();
            assert!((400..=600).contains(&delays) && (400..=600).contains(&quotes), "{tenth}: {delays}, {quotes}");
        }
        let quotes = || heard.iter().map(|answer| answer.quote);
        assert_eq!((quotes().min(), quotes().max()), (Some(0), Some(100)));
        assert!(heard.iter().all(|answer| answer.after <= Duration::from_secs(60)));
    }

    #[test]
    fn a_provider_may_have_a_way_of_its_own() {
        let expected = Some(Answer { quote: 17, after: Duration::ZERO });
        assert_eq!(answer(11, &Manner::default(), &rfq(1)), expected);
    }
}
