//! The keeper of an instance whose breaker is not closed: retests it when its time has come, and probes it.
//!
//! RETEST comes from a timer and not from the next call, so that an idle page shows it; and the probe is a
//! request of our own to the contract's health path, so that no caller waits for an instance that is still
//! down. A probe that fails says nothing and leaves the breaker half-open.

mod keeper;

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};
use tracing::{debug, warn};

pub(crate) use self::keeper::Keeper;
use crate::breaker::{BreakerState, Outcome};
use crate::client::Core;
use crate::error::{Cause, ErrorKind};
use crate::instance::{Admission, InstanceState};
use crate::patience::wait_until;
use crate::transport::Outgoing;

/// How often a half-open instance is probed.
const PROBE_EVERY: Duration = Duration::from_secs(1);

/// Makes sure that an instance has its one keeper while its breaker is not closed.
pub(crate) fn keep(core: &Arc<Core>, state: &Arc<InstanceState>) {
    state.changed.notify_one();
    if state.keeper.take() {
        let (core, state) = (Arc::clone(core), Arc::clone(state));
        core.clone().spawn(async move {
            loop {
                watch_over(&core, &state).await;
                let reopened = || state.breaker.state(Instant::now()) != BreakerState::Closed;
                if !state.keeper.leave(|| reopened() && !core.roster.is_forgotten(&state)) {
                    return;
                }
            }
        });
    }
}

/// Returns when the breaker is closed or nobody will ever use it again.
async fn watch_over(core: &Arc<Core>, state: &Arc<InstanceState>) {
    let mut complained = false;
    loop {
        if core.roster.is_forgotten(state) {
            return;
        }
        match (state.breaker.state(Instant::now()), state.breaker.retest_at()) {
            (BreakerState::Closed, _) => return,
            (BreakerState::Open, Some(at)) => tokio::select! {
                () = sleep_until(at) => {}
                () = state.changed.notified() => {}
            },
            (BreakerState::Open, None) => tokio::task::yield_now().await,
            (BreakerState::HalfOpen, Some(_)) => core.retest(state),
            (BreakerState::HalfOpen, None) => match core.policy.health_path() {
                Some(path) if state.is_present() => probe_each_second(core, state, path, &mut complained).await,
                _ => state.changed.notified().await,
            },
        }
    }
}

async fn probe_each_second(core: &Arc<Core>, state: &Arc<InstanceState>, path: &str, complained: &mut bool) {
    let next = Instant::now() + PROBE_EVERY;
    if let Ok(permit) = state.admit_probe(Instant::now()) {
        probe(core, state, permit, path, complained).await;
    }
    if state.breaker.state(Instant::now()) == BreakerState::HalfOpen {
        tokio::select! {
            () = sleep_until(next) => {}
            () = state.changed.notified() => {}
        }
    }
}

async fn probe(core: &Arc<Core>, state: &Arc<InstanceState>, permit: Admission, path: &str, complained: &mut bool) {
    let Ok(request) = Outgoing::get(path) else { return };
    let answer = wait_until(Instant::now() + core.policy.timeout(), state.connections.exchange_once(&request)).await;
    let (outcome, cause): (_, Option<Box<Cause>>) = match answer {
        Ok(Ok(reply)) if reply.status.is_success() => {
            let instance = state.instance();
            debug!(target: "mainstay::call", "{} using instance {}: {}", core.service, instance.number, instance.address);
            (Outcome::Success, None)
        }
        Ok(Ok(reply)) => {
            // More likely a contract that is wrong than an instance that is down, and nothing else would show it.
            if reply.status.is_client_error() && !std::mem::replace(complained, true) {
                let (service, status) = (core.service, reply.status.as_u16());
                warn!(target: "mainstay::probe", "{service} instance {} answers {status} to {path}, its health path", state.instance().number);
            }
            (Outcome::Failure, Some(ErrorKind::Failed.into()))
        }
        Ok(Err(broken)) => (Outcome::Failure, Some(broken.into())),
        Err(_) => (Outcome::Timeout, Some(ErrorKind::Timeout.into())),
    };
    core.settle(permit, outcome, cause.as_deref(), Instant::now());
}
