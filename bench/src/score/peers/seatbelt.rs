//! Seatbelt: its breaker as a layer of a stack around `Execute`, as its documentation of `breaker` shows.
//!
//! It counts by rate over a time. In a row: at half of the calls, from the limit's number of calls on, with nothing but
//! failures in its window. Half-open: `quick`, its mode with a single probe. Abandoned calls: as failures, which is what
//! its documentation advises where callers leave because the instance is slow.

use std::sync::Arc;
use std::time::Duration;

use layered::{Execute, Service, Stack};
use seatbelt::breaker::{AbandonedPolicy, Breaker, HalfOpenMode};
use seatbelt::{RecoveryInfo, ResilienceContext};
use tick::Clock;

use crate::score::bed::LIMIT;
use crate::score::peer::{Answer, Calling, Failed, Peer, Rules, Trip, WINDOW_TIME, Work, within};

/// The least number of calls in its window for which it looks at their rate.
const LEAST_CALLS: u32 = LIMIT;

/// The window that it has unless told otherwise.
const DEFAULT_WINDOW: Duration = Duration::from_secs(30);

struct Guarded<S>(Arc<S>);

pub(super) fn build(rules: &Rules) -> Arc<dyn Peer> {
    with(rules, AbandonedPolicy::as_failures(), HalfOpenMode::quick())
}

pub(super) fn build_abandoned_default(rules: &Rules) -> Arc<dyn Peer> {
    with(rules, AbandonedPolicy::default(), HalfOpenMode::quick())
}

pub(super) fn build_progressive(rules: &Rules) -> Arc<dyn Peer> {
    with(rules, AbandonedPolicy::as_failures(), HalfOpenMode::default())
}

fn with(rules: &Rules, abandoned: AbandonedPolicy, half_open: HalfOpenMode) -> Arc<dyn Peer> {
    let timeout = rules.timeout;
    let (least_calls, window) = match rules.trip {
        Trip::InARow(limit) => (limit, DEFAULT_WINDOW),
        Trip::Window => (LEAST_CALLS, WINDOW_TIME),
    };
    let context = ResilienceContext::new(Clock::new_tokio());
    let breaker = Breaker::layer("score_card", &context)
        .recovery_with(|result: &Result<(), Option<Failed>>, _| match result {
            Ok(()) => RecoveryInfo::never(),
            Err(_) => RecoveryInfo::retry(),
        })
        .rejected_input_error(|_, _| None)
        .failure_threshold(0.5)
        .min_throughput(least_calls)
        .sampling_duration(window)
        .break_duration(rules.retest_delay)
        .abandoned_policy(abandoned)
        .half_open_mode(half_open);
    let attempt = move |work: Work| async move { within(timeout, work).await.map_err(Some) };
    Arc::new(Guarded(Arc::new((breaker, Execute::new(attempt)).into_service())))
}

impl<S: Service<Work, Out = Result<(), Option<Failed>>> + 'static> Peer for Guarded<S> {
    fn call(&self, work: Work) -> Calling {
        let service = Arc::clone(&self.0);
        Box::pin(async move {
            match service.execute(work).await {
                Ok(()) => Answer::Done,
                Err(Some(Failed)) => Answer::Failed,
                Err(None) => Answer::Skipped,
            }
        })
    }
}
