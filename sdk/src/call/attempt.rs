//! One attempt at one instance, with its permit.
//!
//! A caller that leaves must not cost a hung instance its verdict: a thousand callers, each with less patience
//! than the policy's timeout, would otherwise never open its breaker. So one attempt per instance whose caller
//! has left goes on in the background, until it is answered or its attempt timeout has passed. All others end
//! with their caller; their permits count as cancelled.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::time::Instant;

use crate::breaker::Outcome;
use crate::client::Core;
use crate::error::{Cause, ErrorKind};
use crate::instance::{Admission, InstanceState};
use crate::patience::wait_until;
use crate::transport::{Broken, Outgoing, Reply, Slot, Unmade};

/// A deadline that leaves an instance all but so much of its time has left it its time: where both are one second, as
/// in most contracts, resolving and picking take the rest. Of a short timeout it is a twentieth.
const SLACK: Duration = Duration::from_millis(20);
const SLACK_PART: u32 = 20;

type Exchange = Pin<Box<dyn Future<Output = Result<Reply, Broken>> + Send>>;

/// What is wrong with an answer.
type Check = fn(&Reply) -> Option<Box<Cause>>;

/// How an attempt ended.
pub(super) enum Ended {
    /// There is a verdict, and the permit that it settles.
    Judged(Result<Reply, Box<Cause>>, Admission),
    /// The deadline came before the instance had its time: its verdict comes later.
    LeftBehind(Arc<InstanceState>),
}

/// Sends a request and waits for its answer, until the instance has had its time or the deadline has come.
///
/// Cancel safe: dropped, it goes on in the background if it may.
pub(super) async fn attempt(
    core: &Arc<Core>,
    permit: Admission,
    slot: Slot,
    request: Arc<Outgoing>,
    check: Check,
    now: Instant,
    deadline: Instant,
) -> Ended {
    let timeout = core.policy.timeout();
    let times_out = now + timeout;
    let runtime = Handle::current();
    let here = runtime.id();
    let mut attempt = Attempt { core, check, runtime, under_way: None };
    let is_cut_off = deadline < times_out - SLACK.min(timeout / SLACK_PART);
    let limit = if is_cut_off { times_out } else { times_out.min(deadline) };
    let exchange: Exchange = Box::pin(async move { slot.exchange(&request, limit, here).await });
    let (exchange, permit) = attempt.under_way.insert((exchange, permit));
    let answer = match is_cut_off {
        true => wait_until(deadline, exchange).await,
        false => Ok(exchange.await),
    };
    let Ok(answer) = answer else { return Ended::LeftBehind(Arc::clone(permit.holder().instance())) };
    let Some((_, permit)) = attempt.under_way.take() else { unreachable!("it was put there above") };
    Ended::Judged(answer.map_err(Into::into), permit)
}

/// An attempt that may have to go on without its caller.
struct Attempt<'a> {
    core: &'a Arc<Core>,
    check: Check,
    /// Where it goes on, as its connection and its timer are woken there: that the client's own runtime outlives that
    /// of a caller is not the instance's fault.
    runtime: Handle,
    under_way: Option<(Exchange, Admission)>,
}

/// What counts: an instance that says "your fault" has answered, and one that we could not ask has done nothing.
pub(super) fn outcome(cause: Option<&Cause>) -> Option<Outcome> {
    match cause.map(|cause| cause.kind) {
        None | Some(ErrorKind::Declined) => Some(Outcome::Success),
        Some(ErrorKind::Timeout) => Some(Outcome::Timeout),
        Some(ErrorKind::NoSocket | ErrorKind::NoTls) => None,
        Some(_) => Some(Outcome::Failure),
    }
}

impl From<Broken> for Box<Cause> {
    fn from(broken: Broken) -> Self {
        let kind = match &broken {
            Broken::Unmade(Unmade::Refused(_) | Unmade::Handshake(_)) => ErrorKind::Refused,
            Broken::Unmade(Unmade::NoSocket(_)) => ErrorKind::NoSocket,
            Broken::Unmade(Unmade::NoTls) => ErrorKind::NoTls,
            Broken::Connection(_) => ErrorKind::Broken,
            Broken::TimedOut => return ErrorKind::Timeout.into(),
            Broken::TooLarge(_) => ErrorKind::Undecodable,
        };
        Self::new(Cause { source: Some(Box::new(broken)), ..Cause::of(kind) })
    }
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        let Some((exchange, permit)) = self.under_way.take() else { return };
        let Some(left) = LeftBehind::of(permit.holder().instance()) else { return };
        let (core, check) = (Arc::clone(self.core), self.check);
        self.core.spawn_in(&self.runtime, async move {
            let cause = exchange.await.map_or_else(|broken| Some(broken.into()), |reply| check(&reply));
            drop(left);
            if let Some(outcome) = outcome(cause.as_deref()) {
                core.settle(permit, outcome, cause.as_deref(), Instant::now());
            }
        });
    }
}

/// The right to be the one attempt of an instance that goes on without its caller.
struct LeftBehind(Arc<InstanceState>);

impl LeftBehind {
    fn of(state: &Arc<InstanceState>) -> Option<Self> {
        let taken = state.left_behind.swap(true, Ordering::AcqRel);
        (!taken).then(|| {
            state.answers.left_behind.fetch_add(1, Ordering::Relaxed);
            Self(Arc::clone(state))
        })
    }
}

/// However it ends, if in a contract's own code that panics: the next one may be left behind.
impl Drop for LeftBehind {
    fn drop(&mut self) {
        self.0.left_behind.store(false, Ordering::Release);
    }
}
