//! Gathers of random legs, compared with a model of what they must come to.

use std::time::Duration;

use http::StatusCode;
use mainstay::contracts::bidding::Ask;
use mainstay::testing::{Answer, assert_settled};
use mainstay::{Completion, Policy};
use proptest::prelude::{Just, ProptestConfig, any, prop_assert_eq, prop_oneof, proptest};
use proptest::strategy::Strategy as _;

use super::{bid, bidders_by};

/// What a leg does, and after how many milliseconds; distinct for each leg.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Does {
    Bids(u64),
    Declines(u64),
    Refuses,
    Nothing,
}

impl Does {
    fn answer(self) -> Answer {
        match self {
            Self::Bids(at) => bid(at).after(Duration::from_millis(at)),
            Self::Declines(at) => Answer::status(StatusCode::NOT_FOUND).after(Duration::from_millis(at)),
            Self::Refuses | Self::Nothing => bid(0).after(Duration::from_secs(3600)),
        }
    }
}

/// What a gather must come to, said without any of its means.
fn expected(legs: &[Does], completion: Completion, timeout: u64, deadline: u64) -> (Vec<&'static str>, u64) {
    let quorum = |wanted: usize, answers: usize, left: usize| answers >= wanted || answers + left < wanted;
    let is_over = |answers: usize, left: usize| match completion {
        Completion::All => left == 0,
        Completion::First(wanted) => left == 0 || answers >= wanted,
        Completion::Quorum(wanted) => left == 0 || quorum(wanted, answers, left),
        Completion::Majority => left == 0 || quorum(legs.len() / 2 + 1, answers, left),
        other => panic!("{other:?} is new here"),
    };
    let mut names = vec!["cancelled"; legs.len()];
    let (mut answers, mut left) = (0, legs.len());
    for now in 0..=deadline.min(timeout) {
        if is_over(answers, left) {
            return (names, now.saturating_sub(1));
        }
        for (place, does) in legs.iter().enumerate() {
            match does {
                Does::Bids(at) if *at == now => (names[place], answers, left) = ("answered", answers + 1, left - 1),
                Does::Declines(at) if *at == now => (names[place], left) = ("declined", left - 1),
                Does::Refuses if now == 0 => (names[place], left) = ("refused", left - 1),
                _ => {}
            }
        }
    }
    if !is_over(answers, left) {
        let cut_off = |name: &mut &str| {
            if *name == "cancelled" {
                *name = "timed-out";
            }
        };
        names.iter_mut().for_each(cut_off);
    }
    (names, deadline.min(timeout))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_the_legs_do_a_gather_ends_as_it_must(
        kinds in proptest::collection::vec(0..6_u8, 1..12),
        seed in any::<u64>(),
        completion in prop_oneof![
            Just(Completion::All),
            (0..12_usize).prop_map(Completion::First),
            (0..12_usize).prop_map(Completion::Quorum),
            Just(Completion::Majority),
        ],
        deadline in 1..40_u64,
        timeout in 1..60_u64,
    ) {
        let mut instants: Vec<u64> = (1..60).map(|step| step * 2).collect();
        fastrand::Rng::with_seed(seed).shuffle(&mut instants);
        // Nothing happens at the very instant of the deadline: both ends would be right.
        let (deadline, timeout) = (deadline * 2 + 1, timeout * 2 + 1);
        // One refuses at most, for the same reason: it does so at once.
        let refusing = kinds.iter().position(|kind| *kind == 4);
        let does = |(place, (kind, at)): (usize, (&u8, u64))| match kind {
            0..=2 => Does::Bids(at),
            3 => Does::Declines(at),
            4 if refusing == Some(place) => Does::Refuses,
            _ => Does::Nothing,
        };
        let legs: Vec<_> = kinds.iter().zip(instants).enumerate().map(does).collect();
        let (names, ends) = expected(&legs, completion, timeout, deadline);

        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let policy = Policy::builder().timeout(Duration::from_millis(timeout)).build().unwrap();
            let (instances, client) = bidders_by(legs.iter().map(|does| does.answer()), policy);
            let refusing = instances.iter().zip(&legs).filter(|(_, does)| **does == Does::Refuses);
            refusing.for_each(|(instance, _)| instance.kill());
            let gather = client.gather(Ask::new("car", "good")).deadline(Duration::from_millis(deadline));
            let bids = gather.complete(completion).await.unwrap();
            let mut outcomes = super::names(&bids);
            if timeout < deadline && ends == timeout {
                // Of legs that time out together, those after the one that makes a quorum hopeless are cancelled.
                let cut_off = outcomes.iter_mut().filter(|name| **name == "cancelled");
                cut_off.for_each(|name| *name = "timed-out");
            }
            prop_assert_eq!(outcomes, names);
            prop_assert_eq!(bids.elapsed.as_millis(), u128::from(ends));
            assert_settled(&client).await;
            Ok(())
        })?;
    }
}
