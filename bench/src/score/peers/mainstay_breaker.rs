//! Mainstay's breaker by itself: `admit`, the work, `record`; who leaves drops the permit.
//!
//! `tick` is what a client's timer does. Nothing bounds an attempt here, so that a probe can outlast its half-open
//! period; its lease is as long as the retest delay, as is the time after which seatbelt sends another probe.

use std::sync::Arc;

use mainstay::Policy;
use mainstay::breaker::{Breaker, Outcome};
use tokio::time::Instant;

use super::mainstay_client::failure_limit;
use crate::score::peer::{Answer, Calling, Peer, Rules, Work};

struct Bare(Arc<Breaker>);

pub(super) fn build(rules: &Rules) -> Arc<dyn Peer> {
    let policy = Policy::builder()
        .failure_limit(failure_limit(rules.trip))
        .retest_delay(rules.retest_delay)
        .timeout(rules.retest_delay / 2)
        .build_const();
    Arc::new(Bare(Breaker::new((&policy).into(), Instant::now())))
}

impl Peer for Bare {
    fn call(&self, work: Work) -> Calling {
        let breaker = Arc::clone(&self.0);
        Box::pin(async move {
            let now = Instant::now();
            let _ = breaker.tick(now);
            let Ok(permit) = breaker.admit(now) else { return Answer::Skipped };
            let answer = Answer::from(work.await);
            let outcome = if answer == Answer::Done { Outcome::Success } else { Outcome::Failure };
            let _ = permit.record(outcome, Instant::now());
            answer
        })
    }
}
