//! One call: resolve, pick, permit, send, classify, record, and the last good answer if there is no live one.

mod attempt;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::Method;
use mainstay_contracts::registry::Instance;
use mainstay_contracts::wire;
use mainstay_contracts::{Call, Idempotence, Refusal};
use serde::de::DeserializeOwned;
use tokio::time::error::Elapsed;
use tokio::time::{Instant, timeout_at};
use tracing::debug;

use self::attempt::{Ended, attempt, outcome};
use crate::balance::Ready;
use crate::breaker::Outcome;
use crate::client::Core;
use crate::error::{Cause, Error, ErrorKind, Facts};
use crate::instance::{Admission, InstanceState};
use crate::transport::{Outgoing, Reply, Slot};

/// A value, and where it comes from.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Fetched<T> {
    /// The value.
    pub value: T,
    /// Live, or the last good one and why.
    pub from: Origin,
    /// How old it is: zero when live.
    pub age: Duration,
    /// Who answered it.
    pub instance: Arc<Instance>,
    /// How long the call took.
    pub elapsed: Duration,
}

/// Where a [`Fetched`] value comes from.
#[derive(Debug, Clone)]
pub enum Origin {
    /// An instance answered this call.
    Live,
    /// No instance did; this is the answer to the same call some time ago.
    LastGood {
        /// Why there is no live answer.
        reason: Error,
    },
}

impl<T> Fetched<T> {
    /// Did an instance answer this very call?
    pub fn is_live(&self) -> bool {
        matches!(self.from, Origin::Live)
    }

    /// Why the value is not live.
    pub fn reason(&self) -> Option<&Error> {
        match &self.from {
            Origin::Live => None,
            Origin::LastGood { reason } => Some(reason),
        }
    }
}

pub(crate) async fn call<C: Call>(
    core: &Arc<Core>,
    call: &C,
    now: Instant,
    deadline: Instant,
) -> Result<Fetched<C::Response>, Error> {
    let mut course = Course::new(core, now, deadline);
    let request = Arc::new(encode(core, call).map_err(|cause| course.end(cause))?);
    // A value read some time ago is worth something; a change made some time ago is not this change.
    let last_good = core.last_good.as_ref().filter(|_| C::METHOD.is_safe());
    match course.run::<C::Response>(&request).await {
        Ok((value, body, instance)) => {
            if let Some(last_good) = last_good {
                last_good.keep(&request, &body, &instance, course.now);
            }
            Ok(course.live(value, instance))
        }
        Err(reason) if reason.kind() == ErrorKind::Declined => Err(reason),
        Err(reason) => {
            let kept = last_good.and_then(|last_good| last_good.get(&request, course.now));
            let Some(kept) = kept else { return Err(reason) };
            let Ok(value) = serde_json::from_slice(&kept.body) else { return Err(reason) };
            let elapsed = course.elapsed();
            Ok(Fetched { value, from: Origin::LastGood { reason }, age: kept.age, instance: kept.from, elapsed })
        }
    }
}

/// The request that a call is, and whom it may be sent to.
pub(crate) async fn everybody<C: Call>(
    core: &Arc<Core>,
    call: &C,
    deadline: Instant,
) -> Result<(Outgoing, Arc<Ready>), Error> {
    let mut course = Course::new(core, Instant::now(), deadline);
    let request = encode(core, call).map_err(|cause| course.end(cause))?;
    course.discovered().await?;
    let ready = Arc::clone(&core.roster.ready());
    if ready.present.is_empty() { Err(course.end(core.nobody_known())) } else { Ok((request, ready)) }
}

/// Asks this very instance, once: nobody else in its place, and no last good answer.
pub(crate) async fn ask<T: DeserializeOwned>(
    core: &Arc<Core>,
    state: &Arc<InstanceState>,
    request: Outgoing,
    deadline: Instant,
) -> Result<Fetched<T>, Error> {
    let now = Instant::now();
    let mut course = Course::new(core, now, deadline);
    course.tried.push(Arc::clone(state));
    if now >= deadline {
        return Err(course.end(ErrorKind::Deadline.into()));
    }
    let tried = match state.admit(now) {
        Ok(permit) => course.attempt(permit, &Arc::new(request)).await,
        Err(_) => Tried::Skipped,
    };
    match tried {
        Tried::Answered(value, _, instance) => Ok(course.live(value, instance)),
        Tried::Failed(cause, _) => Err(course.end(cause)),
        Tried::TooLate => Err(course.end(ErrorKind::Deadline.into())),
        Tried::Skipped => {
            let retry_after = state.breaker.retest_at().map(|at| at.saturating_duration_since(Instant::now()));
            Err(course.end(Box::new(Cause { retry_after, ..Cause::of(ErrorKind::Skipped) })))
        }
    }
}

/// The way of one call over its attempts.
struct Course<'a> {
    core: &'a Arc<Core>,
    started: Instant,
    /// When something that takes time ended last: the clock is read then, and not by everybody who asks for the time.
    now: Instant,
    deadline: Instant,
    tried: Vec<Arc<InstanceState>>,
    attempts: u32,
    sent: bool,
    all_refused: bool,
}

/// What came of one attempt.
enum Tried<T> {
    /// A decoded answer, its body, and who gave it.
    Answered(T, Bytes, Arc<Instance>),
    /// Who failed, and why.
    Failed(Box<Cause>, Arc<InstanceState>),
    /// There was a permit, but none any more once there was a connection.
    Skipped,
    /// There was no connection before the deadline.
    TooLate,
}

impl<'a> Course<'a> {
    fn new(core: &'a Arc<Core>, now: Instant, deadline: Instant) -> Self {
        let tried = Vec::new();
        Self { core, started: now, now, deadline, tried, attempts: 0, sent: false, all_refused: true }
    }

    /// Tries instance after instance, until one answers or there is a reason to stop.
    async fn run<T: DeserializeOwned>(&mut self, request: &Arc<Outgoing>) -> Result<(T, Bytes, Arc<Instance>), Error> {
        self.discovered().await?;
        let mut last = None;
        loop {
            let now = self.now;
            if now >= self.deadline {
                return Err(self.end(last.unwrap_or_else(|| ErrorKind::Deadline.into())));
            }
            let ready = self.core.roster.ready();
            let Some(permit) = self.core.roster.rotation.pick(&ready, &self.tried, now) else {
                return Err(self.end(nobody(self.core, &ready, last, now)));
            };
            drop(ready);
            let (cause, state) = match self.attempt(permit, request).await {
                Tried::Answered(value, body, instance) => return Ok((value, body, instance)),
                Tried::Failed(cause, state) => (cause, state),
                Tried::Skipped => continue,
                Tried::TooLate => return Err(self.end(ErrorKind::Deadline.into())),
            };
            self.tried.push(state);
            self.all_refused &= cause.kind == ErrorKind::Refused;
            let elsewhere = matches!(
                cause.kind,
                ErrorKind::Refused | ErrorKind::NoSocket | ErrorKind::NoTls | ErrorKind::Broken | ErrorKind::Timeout
            );
            if !elsewhere || self.sent && !request.repeatable {
                return Err(self.end(cause));
            }
            last = Some(cause);
        }
    }

    /// Counts a call, and waits until it is known who is there.
    async fn discovered(&mut self) -> Result<(), Error> {
        self.core.roster.count_call();
        if self.core.is_discovered() {
            return Ok(());
        }
        let discovered = timeout_at(self.deadline, self.core.until_discovered()).await;
        self.now = Instant::now();
        discovered.map_err(|_| self.end(ErrorKind::Deadline.into()))
    }

    /// One attempt at one instance, from its connection to its record.
    async fn attempt<T: DeserializeOwned>(&mut self, permit: Admission, request: &Arc<Outgoing>) -> Tried<T> {
        let (slot, permit) = match self.slot(permit).await {
            Ok(Some(both)) => both,
            Ok(None) => return Tried::Skipped,
            Err(_) => return Tried::TooLate,
        };
        self.attempts += 1;
        let instance = permit.holder().instance().instance();
        debug!(target: "mainstay::call", "{} using instance {}: {}", self.core.service, instance.number, instance.address);
        let check = |reply: &Reply| decode::<T>(reply).err();
        let ended = attempt(self.core, permit, slot, Arc::clone(request), check, self.now, self.deadline).await;
        self.now = Instant::now();
        self.sent = request.was_sent();
        let (result, permit) = match ended {
            Ended::Judged(result, permit) => (result, permit),
            Ended::LeftBehind(state) => return Tried::Failed(ErrorKind::Deadline.into(), state),
        };
        match result.and_then(|reply| Ok((decode(&reply)?, reply.body))) {
            Ok((value, body)) => {
                self.record(permit, None);
                Tried::Answered(value, body, instance)
            }
            Err(cause) => {
                let state = Arc::clone(permit.holder().instance());
                self.record(permit, Some(&cause));
                Tried::Failed(cause, state)
            }
        }
    }

    fn record(&self, permit: Admission, cause: Option<&Cause>) {
        if let Some(outcome) = outcome(cause) {
            let answers = &permit.holder().instance().answers;
            answers.count(outcome == Outcome::Success, outcome == Outcome::Timeout);
            self.core.settle(permit, outcome, cause, self.now);
        }
    }

    /// The right to a connection. While it is waited for, no permit is held: it may not be worth having any more
    /// (`None`), and that all connections are busy is not the instance's fault.
    async fn slot(&mut self, permit: Admission) -> Result<Option<(Slot, Admission)>, Elapsed> {
        let state = permit.holder().instance();
        if let Some(slot) = state.connections.try_slot() {
            return Ok(Some((slot, permit)));
        }
        let state = Arc::clone(state);
        drop(permit);
        let slot = timeout_at(self.deadline, state.connections.slot()).await;
        self.now = Instant::now();
        let slot = slot?;
        Ok(state.admit(self.now).ok().map(|permit| (slot, permit)))
    }

    fn live<T>(&self, value: T, instance: Arc<Instance>) -> Fetched<T> {
        Fetched { value, from: Origin::Live, age: Duration::ZERO, instance, elapsed: self.elapsed() }
    }

    fn elapsed(&self) -> Duration {
        self.now.saturating_duration_since(self.started)
    }

    fn end(&self, cause: Box<Cause>) -> Error {
        let facts = Facts {
            instance: self.tried.last().map(|state| state.instance()),
            attempts: self.attempts,
            elapsed: self.elapsed(),
            sent: self.sent,
            all_refused: self.all_refused,
        };
        Error::new(self.core.service, cause, facts)
    }
}

/// The request that a call is, for every attempt.
fn encode<C: Call>(core: &Core, call: &C) -> Result<Outgoing, Box<Cause>> {
    let unfit = |source| Box::new(Cause { source: Some(source), ..Cause::of(ErrorKind::BadCall) });
    let encoded = wire::encode(call).map_err(|error| unfit(box_error(error)))?;
    let repeatable = may_repeat(core.policy.idempotence(), &C::METHOD);
    let request = Outgoing::new(C::METHOD, encoded, repeatable).map_err(|error| unfit(box_error(error)))?;
    Ok(Outgoing { limit: core.policy.answer_limit(), ..request })
}

fn may_repeat(idempotence: Idempotence, method: &Method) -> bool {
    match idempotence {
        Idempotence::ByMethod => method.is_idempotent(),
        Idempotence::Always => true,
        Idempotence::Never => false,
    }
}

/// Success decodes; 4xx is an answer to the caller; everything else is a failure of the instance.
fn decode<T: DeserializeOwned>(reply: &Reply) -> Result<T, Box<Cause>> {
    let status = reply.status;
    if status.is_success() {
        return serde_json::from_slice(&reply.body)
            .map_err(|error| Box::new(Cause { source: Some(box_error(error)), ..Cause::of(ErrorKind::Undecodable) }));
    }
    let kind = if status.is_client_error() { ErrorKind::Declined } else { ErrorKind::Failed };
    let reason = serde_json::from_slice::<Refusal>(&reply.body).ok().map(|refusal| refusal.reason);
    Err(Box::new(Cause { status: Some(status), reason, retry_after: reply.retry_after, ..Cause::of(kind) }))
}

fn box_error(error: impl std::error::Error + Send + Sync + 'static) -> Box<dyn std::error::Error + Send + Sync> {
    Box::new(error)
}

/// Why nobody (else) can be asked, and when that may change.
fn nobody(core: &Core, ready: &Ready, last: Option<Box<Cause>>, now: Instant) -> Box<Cause> {
    let retest = ready.present.iter().filter_map(|state| state.breaker.retest_at()).min();
    let mut cause = last.unwrap_or_else(|| match ready.present.is_empty() {
        true => core.nobody_known(),
        false => ErrorKind::AllOpen.into(),
    });
    cause.retry_after = cause.retry_after.or_else(|| retest.map(|at| at.saturating_duration_since(now)));
    cause
}
