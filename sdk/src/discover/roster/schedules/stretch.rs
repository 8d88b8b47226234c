//! Shares: while nobody comes, goes or turns, everybody is asked equally often.

use std::sync::Arc;

use super::world::World;
use crate::balance::Ready;
use crate::breaker::Outcome;
use crate::instance::InstanceState;

/// How often each of those whose breaker is closed was asked since somebody came, went or turned.
#[derive(Default)]
pub(super) struct Stretch(Vec<u32>);

impl Stretch {
    pub(super) fn end(&mut self) {
        self.0.clear();
    }

    pub(super) fn asked(&mut self, ready: &Ready, state: &Arc<InstanceState>) {
        let is_it = |place: &u32| Arc::ptr_eq(&ready.present[*place as usize], state);
        let place = ready.closed.iter().position(is_it).expect("it was picked from there");
        self.0.resize(ready.closed.len(), 0);
        self.0[place] += 1;
        let (least, most) = (self.0.iter().min(), self.0.iter().max());
        // One more where the rotation's count begins anew.
        assert!(most <= least.map(|least| least + 2).as_ref(), "uneven shares: {:?}", self.0);
    }
}

impl World {
    /// Of a hundred calls for each, each gets a hundred, and one more or less where the count begins anew: 1 %.
    pub(super) fn check_shares(&mut self) {
        let everybody = self.roster.ready().present.len();
        let mut asked = vec![0; everybody];
        for _ in 0..everybody * 100 {
            let ready = self.roster.ready();
            let permit = self.roster.rotation.pick(&ready, &[], self.now).expect("everybody is closed");
            let is_it = |state: &Arc<InstanceState>| Arc::ptr_eq(state, permit.holder().instance());
            asked[ready.present.iter().position(is_it).expect("it was picked from there")] += 1;
            self.settle(permit, Outcome::Success);
        }
        assert!(asked.iter().all(|count| (99..=101).contains(count)), "uneven shares: {asked:?}");
    }
}
