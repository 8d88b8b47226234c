//! Whoever reads.

use super::*;

#[test]
fn reading_meanwhile_changes_nothing() {
    explore("reading_meanwhile_changes_nothing", Preemptions::AtMost(3), || {
        let (breaker, now) = closed(1, Probe::ByCall);
        let fatal = breaker.admit(now).unwrap();
        let reader = Arc::clone(&breaker);
        let reader =
            spawn(move || (reader.state(now + DELAY), reader.retest_at(), reader.failures(), reader.permits().issued));
        assert_eq!(fatal.record(Outcome::Failure, now), Some(Transition::Opened));
        assert_eq!(breaker.tick(now + DELAY), Some(Transition::Retest));
        let (_, retest_at, failures, issued) = reader.join().unwrap();
        assert!(retest_at.is_none_or(|at| at == now + DELAY));
        assert_eq!(failures, 0, "one failure opens it, and an open breaker counts none");
        assert_eq!(issued, 1);
        assert_eq!(breaker.state(now + DELAY), BreakerState::HalfOpen);
        assert_settled(&breaker);
    });
}
