//! An instance's keeper.

use super::*;
use crate::probe::Keeper;

#[test]
fn no_open_breaker_is_without_its_one_keeper() {
    explore("no_open_breaker_is_without_its_one_keeper", Preemptions::Any, || {
        let (breaker, now) = half_open(Probe::ByItself);
        let keeper = Arc::new(Keeper::nobody());
        assert!(keeper.take());
        // The keeper closes the breaker, and leaves.
        let (kept, place) = (Arc::clone(&breaker), Arc::clone(&keeper));
        let leaves = spawn(move || {
            let probe = kept.admit_probe(now).unwrap();
            assert_eq!(probe.record(Outcome::Success, now), Some(Transition::Closed));
            place.leave(|| kept.state(now) != BreakerState::Closed)
        });
        // Meanwhile a call may find it closed, and open it again.
        let fails = breaker.admit(now).ok();
        let opened = fails.and_then(|permit| permit.record(Outcome::Failure, now));
        let came = opened.is_some() && keeper.take();
        let stayed = leaves.join().unwrap();
        assert_eq!(usize::from(came) + usize::from(stayed), usize::from(opened.is_some()));
        assert_settled(&breaker);
    });
}
