//! Failsafe: `futures::CircuitBreaker::call` around the future, as its documentation of `futures` shows.
//!
//! In a row: its policy `consecutive_failures`, the very rule. Window: its policy `success_rate_over_time_window`, at
//! half of the calls. The open delay is its constant backoff, so that it does not grow from one opening to the next.

use std::sync::Arc;

use failsafe::failure_policy::{FailurePolicy, consecutive_failures, success_rate_over_time_window};
use failsafe::futures::CircuitBreaker;
use failsafe::{Config, Error, StateMachine, backoff};

use crate::score::bed::LIMIT;
use crate::score::peer::{Answer, Calling, Peer, Rules, Trip, WINDOW_TIME, Work, within};

/// The least number of calls in its window for which it looks at their rate.
const LEAST_CALLS: u32 = LIMIT;

struct Failsafe<P> {
    breaker: StateMachine<P, ()>,
    rules: Rules,
}

pub(super) fn build(rules: &Rules) -> Arc<dyn Peer> {
    let delay = backoff::constant(rules.retest_delay);
    match rules.trip {
        Trip::InARow(limit) => with(rules, consecutive_failures(limit, delay)),
        Trip::Window => with(rules, success_rate_over_time_window(0.5, LEAST_CALLS, WINDOW_TIME, delay)),
    }
}

fn with<P: FailurePolicy + Send + Sync + 'static>(rules: &Rules, policy: P) -> Arc<dyn Peer> {
    Arc::new(Failsafe { breaker: Config::new().failure_policy(policy).build(), rules: *rules })
}

impl<P: FailurePolicy + Send + Sync + 'static> Peer for Failsafe<P> {
    fn call(&self, work: Work) -> Calling {
        let (breaker, timeout) = (self.breaker.clone(), self.rules.timeout);
        Box::pin(async move {
            match CircuitBreaker::call(&breaker, Box::pin(within(timeout, work))).await {
                Ok(()) => Answer::Done,
                Err(Error::Inner(_)) => Answer::Failed,
                Err(Error::Rejected) => Answer::Skipped,
            }
        })
    }
}
