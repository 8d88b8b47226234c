//! Mainstay's breaker by itself: `admit`, the work, `record`; who leaves drops the permit.
//!
//! `tick` is what a client's timer does. Nothing bounds an attempt here, and a probe is waited for as long as anything is:
//! on a busy machine a thousand callers may take longer to ask than the breaker stays open. Where a probe is to outlast its
//! half-open period, its lease is as long as the retest delay, as is the time after which seatbelt sends another probe.

use std::sync::Arc;
use std::time::Duration;

use mainstay::Policy;
use mainstay::breaker::{Breaker, Outcome};
use tokio::time::Instant;

use super::mainstay_client::failure_limit;
use crate::score::bed::PATIENCE;
use crate::score::peer::{Answer, Calling, Peer, Rules, Work};

struct Bare(Arc<Breaker>);

pub(super) fn build(rules: &Rules) -> Arc<dyn Peer> {
    with_lease(rules, PATIENCE)
}

pub(super) fn build_forgetful(rules: &Rules) -> Arc<dyn Peer> {
    with_lease(rules, rules.retest_delay)
}

fn with_lease(rules: &Rules, lease: Duration) -> Arc<dyn Peer> {
    let policy = Policy::builder()
        .failure_limit(failure_limit(rules.trip))
        .retest_delay(rules.retest_delay)
        // A probe's lease is twice as long.
        .timeout(lease / 2)
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
