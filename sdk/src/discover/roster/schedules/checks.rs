//! What holds at every step, and at the end.

use std::sync::Arc;

use mainstay_contracts::registry::Presence;

use super::world::{DELAY, LEASE, Out, World};
use crate::breaker::{BreakerState, Outcome, Probe, Transition};
use crate::instance::{Admission, InstanceState};

/// An instance that was ever known, and what its breaker told last.
pub(super) struct Watched {
    pub(super) state: Arc<InstanceState>,
    pub(super) last: Option<Transition>,
}

impl World {
    pub(super) fn check(&self) {
        for Watched { state, last } in &self.watched {
            let out = || self.out.iter().filter(|out| Arc::ptr_eq(out.permit.holder().instance(), state));
            assert_eq!(state.breaker.permits().out(), out().count() as u64, "issued is settled and out");
            let live = |out: &&Out| out.permit.is_probe() && self.now < out.since + LEASE;
            assert!(out().filter(live).count() <= 1, "one probe at a time");

            let (is, retest_at) = (state.breaker.state(self.now), state.breaker.retest_at());
            match last {
                None | Some(Transition::Closed) => assert_eq!((is, retest_at), (BreakerState::Closed, None)),
                Some(Transition::Retest) => assert_eq!((is, retest_at), (BreakerState::HalfOpen, None)),
                Some(Transition::Opened) => {
                    let at = retest_at.expect("an open breaker is due some time");
                    assert!(at <= self.now + DELAY);
                    assert_eq!(is, if at > self.now { BreakerState::Open } else { BreakerState::HalfOpen });
                }
            }
        }
        self.check_ready();
    }

    /// The snapshot says what is so: who is present, and of them who is closed, or waits for a call as its probe.
    fn check_ready(&self) {
        let ready = self.roster.ready();
        let everybody = self.roster.everybody();
        let present = everybody.iter().filter(|state| state.is_present()).map(Arc::as_ptr);
        assert!(present.eq(ready.present.iter().map(Arc::as_ptr)), "who is present");
        let (mut closed, mut untested, mut draining) = (Vec::new(), Vec::new(), Vec::new());
        for (place, state) in (0..).zip(ready.present.iter()) {
            match (self.last(state), drains(state)) {
                (None | Some(Transition::Closed), false) => closed.push(place),
                (None | Some(Transition::Closed), true) => draining.push(place),
                (Some(Transition::Retest), false) if self.probe == Probe::ByCall => untested.push(place),
                _ => {}
            }
        }
        assert_eq!((&*ready.closed, &*ready.draining), (&*closed, &*draining));
        // One that is due and not retested yet may be among them: it skips whoever asks.
        assert!(untested.iter().all(|place| ready.untested.contains(place)));
        assert!(ready.untested.iter().all(|place| !drains(&ready.present[*place as usize])));
    }

    fn last(&self, state: &Arc<InstanceState>) -> Option<Transition> {
        self.watched.iter().find(|watched| Arc::ptr_eq(&watched.state, state)).and_then(|watched| watched.last)
    }

    pub(super) fn check_turn(&mut self, state: &Arc<InstanceState>, transition: Transition) {
        let probe = self.probe;
        let watched = self.watched.iter_mut().find(|watched| Arc::ptr_eq(&watched.state, state));
        let last = &mut watched.expect("an instance that is known").last;
        let legal = match (*last, transition) {
            (None | Some(Transition::Closed), Transition::Opened) => true,
            (Some(Transition::Opened), Transition::Retest) => true,
            (Some(Transition::Retest), Transition::Closed) => true,
            (Some(Transition::Retest), Transition::Opened) => probe == Probe::ByCall,
            _ => false,
        };
        assert!(legal, "{transition:?} after {last:?}");
        *last = Some(transition);
    }

    /// Whoever was picked is closed, or it is its probe; and nobody is sent away while somebody could be asked.
    pub(super) fn check_pick(&mut self, tried: &[Arc<InstanceState>], picked: Option<&Admission>) {
        let ready = self.roster.ready();
        let is_tried = |place: &u32| tried.iter().any(|state| Arc::ptr_eq(state, &ready.present[*place as usize]));
        match picked {
            None => {
                let may_be_asked = ready.closed.iter().chain(&*ready.draining);
                assert!(may_be_asked.into_iter().all(is_tried), "somebody could have been asked");
                self.stretch.end();
            }
            Some(permit) => {
                let state = permit.holder().instance();
                assert!(tried.iter().all(|other| !Arc::ptr_eq(other, state)));
                let closed = state.breaker.state(self.now) == BreakerState::Closed;
                assert!(closed != permit.is_probe() && state.is_present());
                assert!(!drains(state) || ready.closed.iter().all(is_tried), "it asked for no calls, and others do");
                let in_turn = tried.is_empty() && closed && !drains(state);
                if in_turn { self.stretch.asked(&ready, state) } else { self.stretch.end() }
            }
        }
    }

    /// Nothing is stuck: whatever has happened, once the delay is over and every probe succeeds, all is as at first.
    pub(super) fn end(mut self) {
        while let Some(out) = self.out.pop() {
            if self.rng.bool() {
                self.settle(out.permit, Outcome::Failure);
            } else {
                drop(out);
            }
            self.check();
        }
        self.now += DELAY;
        self.everybody_comes();
        self.tick();
        for state in self.roster.everybody() {
            if let Ok(permit) = state.admit_probe(self.now) {
                self.settle(permit, Outcome::Success);
            }
            let permits = state.breaker.permits();
            assert_eq!((permits.issued, permits.out()), (permits.settled(), 0));
            assert_eq!(state.breaker.state(self.now), BreakerState::Closed, "it is stuck");
        }
        self.check();
        self.check_shares();
    }
}

fn drains(state: &InstanceState) -> bool {
    state.standing().presence == Presence::Draining
}
