//! A result that was admitted before the opening, and comes at any time after it.

use super::*;

#[test]
fn a_late_result_changes_nothing() {
    for probe in BOTH {
        for outcome in [Outcome::Success, Outcome::Failure] {
            explore(&format!("a_late_result_changes_nothing, {outcome:?}, {probe:?}"), Preemptions::Any, move || {
                let (breaker, [early], now) = due(probe);
                let late = spawn(move || early.record(outcome, now));
                // Meanwhile it becomes half-open, and closes.
                assert_eq!(breaker.tick(now), Some(Transition::Retest));
                let probe = breaker.admit_probe(now).unwrap();
                assert_eq!(probe.record(Outcome::Success, now), Some(Transition::Closed));
                assert_eq!(late.join().unwrap(), None);
                assert_eq!((breaker.state(now), breaker.failures()), (BreakerState::Closed, 0));
                assert_eq!(breaker.permits().stale, 1);
                assert_settled(&breaker);
            });
        }
    }
}

#[test]
fn the_generation_changes_while_a_permit_is_recorded() {
    for outcome in [Outcome::Success, Outcome::Timeout] {
        explore(
            &format!("the_generation_changes_while_a_permit_is_recorded, {outcome:?}"),
            Preemptions::Any,
            move || {
                let (breaker, now) = closed(2, Probe::ByCall);
                let first = breaker.admit(now).unwrap();
                let _ = first.record(Outcome::Failure, now);
                let (recorded, dropped) = (breaker.admit(now).unwrap(), breaker.admit(now).unwrap());
                let recorded = spawn(move || recorded.record(outcome, now));
                // Opens, unless a success comes first, and goes on to half-open at once.
                let told: Vec<_> = {
                    let fatal = breaker.admit(now).ok();
                    let opened = fatal.and_then(|permit| permit.record(Outcome::Failure, now));
                    opened.into_iter().chain(breaker.tick(now + DELAY)).collect()
                };
                drop(dropped);
                let opened =
                    told.iter().copied().chain(recorded.join().unwrap()).filter(|it| *it == Transition::Opened);
                let opened = opened.count();
                let state = breaker.state(now + DELAY);
                assert_eq!(opened, usize::from(state != BreakerState::Closed));
                if outcome == Outcome::Timeout {
                    assert_eq!(state, BreakerState::HalfOpen);
                }
                assert_settled(&breaker);
                assert_not_stuck(&breaker, now + DELAY);
            },
        );
    }
}
