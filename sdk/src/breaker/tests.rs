//! The scenarios that breakers are known to get wrong, and every other one, by random histories against a
//! model that shares no code with the breaker.

use proptest::prelude::*;
use tokio::time::Instant;

use super::*;

const DELAY: Duration = Duration::from_secs(30);
const NANO: Duration = Duration::from_nanos(1);

fn rules(failure_limit: u32, probe: Probe) -> Rules {
    Rules { failure_limit, retest_delay: DELAY, probe, probe_lease: Duration::from_secs(2) }
}

fn breaker(failure_limit: u32, probe: Probe) -> (Arc<Breaker>, Instant) {
    let now = Instant::now();
    (Breaker::new(rules(failure_limit, probe), now), now)
}

/// A breaker that was opened by one failure at the instant returned.
fn open(probe: Probe) -> (Arc<Breaker>, Instant) {
    let (breaker, now) = breaker(1, probe);
    let permit = breaker.admit(now).unwrap();
    assert_eq!(permit.record(Outcome::Failure, now), Some(Transition::Opened));
    (breaker, now)
}

/// A half-open breaker and the instant it became so.
fn half_open(probe: Probe) -> (Arc<Breaker>, Instant) {
    let (breaker, now) = open(probe);
    assert_eq!(breaker.tick(now + DELAY), Some(Transition::Retest));
    (breaker, now + DELAY)
}

fn assert_settled(breaker: &Breaker) {
    let permits = breaker.permits();
    assert_eq!(permits.issued, permits.settled(), "{permits:?}");
}

#[test]
fn retests_at_exactly_the_delay_with_no_traffic() {
    let (breaker, opened) = open(Probe::ByItself);
    let just_before = opened + DELAY - NANO;
    assert_eq!((breaker.state(just_before), breaker.tick(just_before)), (BreakerState::Open, None));
    assert_eq!(breaker.state(opened + DELAY), BreakerState::HalfOpen);
    assert_eq!(breaker.retest_at(), Some(opened + DELAY));
    assert_eq!(breaker.tick(opened + DELAY), Some(Transition::Retest));
    assert_eq!(breaker.tick(opened + DELAY), None);
}

#[test]
fn many_failures_open_once() {
    let (breaker, now) = breaker(3, Probe::ByItself);
    let permits: Vec<_> = (0..10).map(|_| breaker.admit(now).unwrap()).collect();
    let opened: Vec<_> = permits.into_iter().filter_map(|permit| permit.record(Outcome::Timeout, now)).collect();
    assert_eq!(opened, [Transition::Opened]);
    assert_eq!((breaker.permits().timeout, breaker.permits().stale), (3, 7));
}

#[test]
fn failures_on_many_threads_open_once() {
    for _ in 0..200 {
        let (breaker, now) = breaker(3, Probe::ByItself);
        let start = std::sync::Barrier::new(8);
        let opened: usize = std::thread::scope(|scope| {
            let caller = || {
                let permits: Vec<_> = (0..4).map(|_| breaker.admit(now).ok()).collect();
                start.wait();
                permits.into_iter().flatten().filter_map(|permit| permit.record(Outcome::Failure, now)).count()
            };
            let callers: Vec<_> = (0..8).map(|_| scope.spawn(caller)).collect();
            callers.into_iter().map(|caller| caller.join().unwrap()).sum()
        });
        assert_eq!((opened, breaker.permits().failure, breaker.permits().stale), (1, 3, 29));
    }
}

#[test]
fn failures_count_in_a_row_only() {
    let (breaker, now) = breaker(3, Probe::ByItself);
    for outcome in [Outcome::Failure, Outcome::Timeout, Outcome::Success, Outcome::Failure, Outcome::Failure] {
        assert_eq!(breaker.admit(now).unwrap().record(outcome, now), None);
    }
    assert_eq!(breaker.failures(), 2);
    assert_eq!(breaker.admit(now).unwrap().record(Outcome::Failure, now), Some(Transition::Opened));
    assert_eq!(breaker.admit(now).unwrap_err(), Skipped { retest_at: Some(now + DELAY) });
}

#[test]
fn ten_thousand_concurrent_callers_at_half_open_are_one_probe() {
    for probe in [Probe::ByCall, Probe::ByItself] {
        let (breaker, now) = half_open(probe);
        let start = std::sync::Barrier::new(100);
        let admitted = std::thread::scope(|scope| {
            let caller = || {
                let admit = || match probe {
                    Probe::ByCall => breaker.admit(now),
                    Probe::ByItself => breaker.admit_probe(now),
                };
                start.wait();
                // Kept, so that no slot becomes free by dropping.
                (0..100).filter_map(|_| admit().ok()).collect::<Vec<_>>()
            };
            let callers: Vec<_> = (0..100).map(|_| scope.spawn(caller)).collect();
            callers.into_iter().flat_map(|caller| caller.join().unwrap()).collect::<Vec<_>>()
        });
        assert_eq!((admitted.len(), breaker.permits().out()), (1, 1));
        drop(admitted);
        assert_settled(&breaker);
    }
}

#[test]
fn a_caller_is_the_probe_only_where_the_sdk_cannot_ask_by_itself() {
    let (breaker, now) = half_open(Probe::ByItself);
    assert!(breaker.admit(now).is_err());
    let (breaker, now) = half_open(Probe::ByCall);
    let probe = breaker.admit(now).unwrap();
    assert!(probe.is_probe() && breaker.admit(now).is_err());
    assert_eq!(probe.record(Outcome::Success, now), Some(Transition::Closed));
}

#[test]
fn a_failed_probe_reopens_only_when_it_was_a_call() {
    let (breaker, now) = half_open(Probe::ByCall);
    assert_eq!(breaker.admit(now).unwrap().record(Outcome::Timeout, now), Some(Transition::Opened));
    assert_eq!(breaker.retest_at(), Some(now + DELAY));

    let (breaker, now) = half_open(Probe::ByItself);
    for _ in 0..3 {
        assert_eq!(breaker.admit_probe(now).unwrap().record(Outcome::Timeout, now), None);
        assert_eq!(breaker.state(now), BreakerState::HalfOpen);
    }
    assert_eq!(breaker.admit_probe(now).unwrap().record(Outcome::Success, now), Some(Transition::Closed));
}

#[test]
fn a_success_admitted_before_the_opening_does_not_close() {
    let (breaker, now) = breaker(1, Probe::ByItself);
    let (early, fatal) = (breaker.admit(now).unwrap(), breaker.admit(now).unwrap());
    let _ = fatal.record(Outcome::Failure, now);
    assert_eq!(early.record(Outcome::Success, now), None);
    assert_eq!(breaker.state(now), BreakerState::Open);

    let (breaker, now) = self::breaker(1, Probe::ByItself);
    let (early, fatal) = (breaker.admit(now).unwrap(), breaker.admit(now).unwrap());
    let _ = fatal.record(Outcome::Failure, now);
    let _ = breaker.tick(now + DELAY);
    assert_eq!(early.record(Outcome::Success, now + DELAY), None);
    assert_eq!(breaker.state(now + DELAY), BreakerState::HalfOpen);
    assert_eq!(breaker.permits().stale, 1);
}

#[test]
fn the_probe_of_an_earlier_half_open_period_does_not_close() {
    let (breaker, now) = half_open(Probe::ByCall);
    let old = breaker.admit(now).unwrap();
    let lost = now + Duration::from_secs(2);
    let _ = breaker.admit(lost).unwrap().record(Outcome::Failure, lost);
    let again = lost + DELAY;
    assert_eq!(breaker.tick(again), Some(Transition::Retest));
    assert_eq!(old.record(Outcome::Success, again), None);
    assert_eq!(breaker.state(again), BreakerState::HalfOpen);
    assert!(breaker.admit(again).unwrap().is_probe());
    assert_settled(&breaker);
}

#[test]
fn a_straggler_after_a_re_open_changes_nothing() {
    let (breaker, now) = breaker(1, Probe::ByCall);
    let (straggler, fatal) = (breaker.admit(now).unwrap(), breaker.admit(now).unwrap());
    let _ = fatal.record(Outcome::Failure, now);
    let _ = breaker.tick(now + DELAY);
    let _ = breaker.admit(now + DELAY).unwrap().record(Outcome::Failure, now + DELAY);
    assert_eq!(straggler.record(Outcome::Failure, now + DELAY + DELAY / 2), None);
    assert_eq!(breaker.retest_at(), Some(now + DELAY + DELAY), "a late failure must not prolong the delay");
}

#[test]
fn a_dropped_probe_may_go_again_at_once() {
    for probe in [Probe::ByCall, Probe::ByItself] {
        let (breaker, now) = half_open(probe);
        drop(breaker.admit_probe(now).unwrap());
        assert_eq!(breaker.permits().cancelled, 1);
        assert_eq!(breaker.admit_probe(now).unwrap().record(Outcome::Success, now), Some(Transition::Closed));
    }
}

#[test]
fn a_lost_probe_is_bounded_by_its_lease() {
    let (breaker, now) = half_open(Probe::ByItself);
    std::mem::forget(breaker.admit_probe(now).unwrap());
    let lease = Duration::from_secs(2);
    assert!(breaker.admit_probe(now + lease - NANO).is_err());
    assert_eq!(breaker.admit_probe(now + lease).unwrap().record(Outcome::Success, now), Some(Transition::Closed));
}

#[test]
fn dropped_calls_count_as_nothing() {
    let (breaker, now) = breaker(1, Probe::ByItself);
    (0..1000).for_each(|_| drop(breaker.admit(now).unwrap()));
    assert_eq!((breaker.state(now), breaker.permits().cancelled), (BreakerState::Closed, 1000));
    assert_settled(&breaker);
}

#[test]
fn ten_thousand_successes_do_not_delay_the_opening() {
    let (breaker, now) = breaker(3, Probe::ByItself);
    for _ in 0..10_000 {
        assert_eq!(breaker.admit(now).unwrap().record(Outcome::Success, now), None);
    }
    let opened = (0..3).find_map(|_| breaker.admit(now).unwrap().record(Outcome::Failure, now));
    assert_eq!(opened, Some(Transition::Opened));
}

#[test]
fn a_new_incarnation_is_retested_at_once_and_only_when_open() {
    let (breaker, now) = open(Probe::ByItself);
    assert_eq!((breaker.retest(), breaker.retest()), (Some(Transition::Retest), None));
    assert_eq!(breaker.state(now), BreakerState::HalfOpen);
    let (breaker, now) = self::breaker(1, Probe::ByItself);
    assert_eq!((breaker.retest(), breaker.state(now)), (None, BreakerState::Closed));
}

#[test]
fn reading_changes_nothing() {
    let (breaker, opened) = open(Probe::ByCall);
    let due = opened + DELAY;
    for _ in 0..10 {
        assert_eq!(breaker.state(due), BreakerState::HalfOpen);
        let _ = (breaker.retest_at(), breaker.failures(), breaker.permits(), format!("{breaker:?}"));
    }
    assert_eq!(breaker.tick(due), Some(Transition::Retest));
}

#[test]
fn states_are_called_as_pages_and_logs_call_them() {
    let called = [BreakerState::Closed, BreakerState::Open, BreakerState::HalfOpen].map(|state| state.to_string());
    assert_eq!(called, ["CLOSED", "OPEN", "HALF-OPEN"]);
}

/// A breaker as a page of plain sequential code.
struct Model {
    rules: Rules,
    period: u32,
    is: Is,
}

enum Is {
    Closed { failures: u32 },
    Open { since: Duration },
    HalfOpen { probe_since: Option<Duration> },
}

impl Model {
    fn turn(&mut self, is: Is, transition: Transition) -> Option<Transition> {
        self.period += 1;
        self.is = is;
        Some(transition)
    }

    fn state(&self, now: Duration) -> BreakerState {
        match self.is {
            Is::Closed { .. } => BreakerState::Closed,
            Is::Open { since } if now < since + self.rules.retest_delay => BreakerState::Open,
            Is::Open { .. } | Is::HalfOpen { .. } => BreakerState::HalfOpen,
        }
    }

    /// The period and whether it is a probe, if admitted.
    fn admit(&mut self, prober: bool, now: Duration) -> Option<(u32, bool)> {
        match &mut self.is {
            Is::Closed { .. } => (!prober).then_some((self.period, false)),
            Is::HalfOpen { probe_since } if prober || self.rules.probe == Probe::ByCall => {
                match *probe_since {
                    Some(since) if now < since + self.rules.probe_lease => return None,
                    Some(_) => self.period += 1,
                    None => {}
                }
                *probe_since = Some(now);
                Some((self.period, true))
            }
            Is::Open { .. } | Is::HalfOpen { .. } => None,
        }
    }

    fn record(&mut self, (period, probe): (u32, bool), success: Option<bool>, now: Duration) -> Option<Transition> {
        if period != self.period {
            return None;
        }
        match (&mut self.is, success) {
            (Is::Closed { failures }, Some(true)) => *failures = 0,
            (Is::Closed { failures }, Some(false)) => {
                *failures += 1;
                if *failures == self.rules.failure_limit {
                    return self.turn(Is::Open { since: now }, Transition::Opened);
                }
            }
            (Is::HalfOpen { .. }, Some(true)) => return self.turn(Is::Closed { failures: 0 }, Transition::Closed),
            (Is::HalfOpen { .. }, Some(false)) if self.rules.probe == Probe::ByCall => {
                return self.turn(Is::Open { since: now }, Transition::Opened);
            }
            (Is::HalfOpen { probe_since }, _) if probe => *probe_since = None,
            _ => {}
        }
        None
    }

    fn tick(&mut self, now: Duration, at_once: bool) -> Option<Transition> {
        match self.is {
            Is::Open { since } if at_once || now >= since + self.rules.retest_delay => {
                self.turn(Is::HalfOpen { probe_since: None }, Transition::Retest)
            }
            _ => None,
        }
    }
}

#[derive(Debug, Clone)]
enum Step {
    Admit { prober: bool },
    Record { which: prop::sample::Index, success: bool },
    Drop { which: prop::sample::Index },
    Wait { millis: u64 },
    Tick,
    NewIncarnation,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let which = any::<prop::sample::Index>;
    let step = prop_oneof![
        6 => any::<bool>().prop_map(|prober| Step::Admit { prober }),
        6 => (which(), any::<bool>()).prop_map(|(which, success)| Step::Record { which, success }),
        1 => which().prop_map(|which| Step::Drop { which }),
        2 => prop_oneof![Just(1), Just(1_999), Just(2_000), Just(29_999), 0..31_000u64]
            .prop_map(|millis| Step::Wait { millis }),
        2 => Just(Step::Tick),
        1 => Just(Step::NewIncarnation),
    ];
    prop::collection::vec(step, 0..200)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn behaves_as_the_model(steps in steps(), limit in 1..4u32, by_call: bool) {
        let rules = rules(limit, if by_call { Probe::ByCall } else { Probe::ByItself });
        let base = Instant::now();
        let breaker = Breaker::new(rules, base);
        let mut model = Model { rules, period: 0, is: Is::Closed { failures: 0 } };
        let mut out = Vec::new();
        let mut now = Duration::ZERO;
        for step in steps {
            let (was, expected) = match step {
                Step::Admit { prober } => {
                    let permit = if prober { breaker.admit_probe(base + now) } else { breaker.admit(base + now) }.ok();
                    let expected = model.admit(prober, now);
                    prop_assert_eq!(permit.as_ref().map(Permit::is_probe), expected.map(|(_, probe)| probe));
                    out.extend(permit.zip(expected));
                    (None, None)
                }
                Step::Record { .. } | Step::Drop { .. } if out.is_empty() => (None, None),
                Step::Record { which, success } => {
                    let (permit, known) = out.swap_remove(which.index(out.len()));
                    let outcome = if success { Outcome::Success } else { Outcome::Failure };
                    (permit.record(outcome, base + now), model.record(known, Some(success), now))
                }
                Step::Drop { which } => {
                    let (permit, known) = out.swap_remove(which.index(out.len()));
                    drop(permit);
                    (None, model.record(known, None, now))
                }
                Step::Wait { millis } => {
                    now += Duration::from_millis(millis);
                    (None, None)
                }
                Step::Tick => (breaker.tick(base + now), model.tick(now, false)),
                Step::NewIncarnation => (breaker.retest(), model.tick(now, true)),
            };
            prop_assert_eq!(was, expected);
            prop_assert_eq!(breaker.state(base + now), model.state(now));
            prop_assert_eq!(breaker.permits().out(), out.len() as u64);
        }
        drop(out);
        prop_assert_eq!(breaker.permits().issued, breaker.permits().settled());
    }
}
