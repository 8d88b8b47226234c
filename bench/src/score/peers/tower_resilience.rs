//! Tower-resilience: its layer around a service, and a clone of that for each call, which waits until it is ready, as
//! `tower` wants it.
//!
//! In a row: `consecutive_failures`, the very rule. Half-open: one permitted call, its default. Window: its default,
//! which counts calls; and beside it the one that counts time.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tower::{Service, ServiceExt as _};
use tower_resilience_circuitbreaker::{
    CircuitBreaker, CircuitBreakerConfigBuilder, CircuitBreakerError, CircuitBreakerLayer, DefaultClassifier,
    SlidingWindowType,
};

use crate::score::bed::LIMIT;
use crate::score::peer::{Answer, Calling, Failed, Peer, Rules, Trip, WINDOW_CALLS, WINDOW_TIME, Work, within};

/// The least number of calls in a window of time for which it looks at their rate.
const LEAST_CALLS: usize = LIMIT as usize;

/// The service inside: does the work within this timeout.
#[derive(Clone)]
struct Attempt(Duration);

struct Guarded(CircuitBreaker<Attempt, DefaultClassifier>);

pub(super) fn build(rules: &Rules) -> Arc<dyn Peer> {
    with(rules, |builder| match rules.trip {
        Trip::InARow(limit) => builder.consecutive_failures(limit as usize),
        Trip::Window => builder.sliding_window_size(WINDOW_CALLS as usize).failure_rate_threshold(0.5),
    })
}

pub(super) fn build_timed(rules: &Rules) -> Arc<dyn Peer> {
    with(rules, |builder| {
        builder
            .sliding_window_type(SlidingWindowType::TimeBased)
            .sliding_window_duration(WINDOW_TIME)
            .minimum_number_of_calls(LEAST_CALLS)
            .failure_rate_threshold(0.5)
    })
}

/// Named, because an async block that holds a `Oneshot` of boxed work cannot be shown to be `Send`.
type Called = Pin<Box<dyn Future<Output = Result<(), CircuitBreakerError<Failed>>> + Send>>;

type Builder = CircuitBreakerConfigBuilder<DefaultClassifier>;

fn with(rules: &Rules, trip: impl FnOnce(Builder) -> Builder) -> Arc<dyn Peer> {
    let layer = trip(CircuitBreakerLayer::builder())
        .wait_duration_in_open(rules.retest_delay)
        .permitted_calls_in_half_open(1)
        .build()
        .expect("the rules are in their ranges");
    Arc::new(Guarded(layer.layer_fn(Attempt(rules.timeout))))
}

impl Service<Work> for Attempt {
    type Response = ();
    type Error = Failed;
    type Future = Work;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Failed>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, work: Work) -> Work {
        Box::pin(within(self.0, work))
    }
}

impl Peer for Guarded {
    fn call(&self, work: Work) -> Calling {
        let called: Called = Box::pin(self.0.clone().oneshot(work));
        Box::pin(async move {
            match called.await {
                Ok(()) => Answer::Done,
                Err(CircuitBreakerError::Inner(_)) => Answer::Failed,
                Err(CircuitBreakerError::OpenCircuit) => Answer::Skipped,
            }
        })
    }
}
