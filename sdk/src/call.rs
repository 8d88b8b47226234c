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
use tokio::time::{Instant, timeout_at};
use tracing::debug;

use self::attempt::{Attempt, Ended};
use crate::balance::Ready;
use crate::breaker::{Outcome, Permit};
use crate::client::Core;
use crate::error::{Cause, Error, ErrorKind, Facts};
use crate::instance::InstanceState;
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
    deadline: Instant,
) -> Result<Fetched<C::Response>, Error> {
    let mut course = Course::new(core, deadline);
    let request = match wire::encode(call).map_err(box_error).and_then(|encoded| {
        Outgoing::new(C::METHOD, encoded, may_repeat(core.policy.idempotence(), &C::METHOD)).map_err(box_error)
    }) {
        Ok(request) => request,
        Err(source) => return Err(course.end(Cause { source: Some(source), ..ErrorKind::BadCall.into() })),
    };
    // A value read some time ago is worth something; a change made some time ago is not this change.
    let last_good = core.last_good.as_ref().filter(|_| C::METHOD.is_safe());
    let key = last_good_key(&request);
    match course.run::<C::Response>(&request).await {
        Ok((value, body, instance)) => {
            if let Some(last_good) = last_good {
                last_good.keep(&key, &body, &instance, Instant::now());
            }
            Ok(Fetched { value, from: Origin::Live, age: Duration::ZERO, instance, elapsed: course.started.elapsed() })
        }
        Err(reason) if reason.kind() == ErrorKind::Rejected => Err(reason),
        Err(reason) => {
            let kept = last_good.and_then(|last_good| last_good.get(&key, Instant::now()));
            let Some(kept) = kept else { return Err(reason) };
            let Ok(value) = serde_json::from_slice(&kept.body) else { return Err(reason) };
            let elapsed = course.started.elapsed();
            Ok(Fetched { value, from: Origin::LastGood { reason }, age: kept.age, instance: kept.from, elapsed })
        }
    }
}

/// The way of one call over its attempts.
struct Course<'a> {
    core: &'a Arc<Core>,
    started: Instant,
    deadline: Instant,
    tried: Vec<Arc<InstanceState>>,
    attempts: u32,
    sent: bool,
    all_refused: bool,
}

/// A decoded answer, its body, and who gave it.
type Answered<T> = (T, Bytes, Arc<Instance>);

impl<'a> Course<'a> {
    fn new(core: &'a Arc<Core>, deadline: Instant) -> Self {
        Self { core, started: Instant::now(), deadline, tried: Vec::new(), attempts: 0, sent: false, all_refused: true }
    }

    /// Tries instance after instance, until one answers or there is a reason to stop.
    async fn run<T: DeserializeOwned>(&mut self, request: &Outgoing) -> Result<Answered<T>, Error> {
        self.core.roster.count_call();
        if timeout_at(self.deadline, self.core.until_discovered()).await.is_err() {
            return Err(self.end(ErrorKind::Deadline.into()));
        }
        let mut last = None;
        loop {
            let now = Instant::now();
            if now >= self.deadline {
                return Err(self.end(last.unwrap_or_else(|| ErrorKind::Deadline.into())));
            }
            let ready = self.core.roster.ready();
            let Some((state, permit)) = self.core.roster.rotation.pick(&ready, &self.tried, now) else {
                return Err(self.end(nobody(&ready, last, now)));
            };
            drop(ready);
            let Some((slot, permit)) = self.slot(&state, permit).await? else { continue };
            self.attempts += 1;
            let instance = state.instance();
            debug!(target: "mainstay::call", "{} using instance {}: {}", self.core.service, instance.number, instance.address);
            let check = |reply: &Reply| decode::<T>(reply).err();
            let attempt = Attempt::start(self.core, &state, permit, slot, request.clone(), check);
            let Ended { result, permit, sent } = attempt.until(self.deadline).await;
            self.sent |= sent;
            let verdict = result.and_then(|reply| decode(&reply).map(|value| (value, reply.body)));
            if let Some(permit) = permit {
                let outcome = attempt::outcome(verdict.as_ref().err());
                state.answers.count(outcome == Outcome::Success, outcome == Outcome::Timeout);
                self.core.settle(&state, permit, outcome, verdict.as_ref().err());
            }
            let cause = match verdict {
                Ok((value, body)) => return Ok((value, body, instance)),
                Err(cause) => cause,
            };
            self.tried.push(state);
            self.all_refused &= cause.kind == ErrorKind::Refused;
            let elsewhere = matches!(cause.kind, ErrorKind::Refused | ErrorKind::Broken | ErrorKind::Timeout);
            if !elsewhere || sent && !request.repeatable {
                return Err(self.end(cause));
            }
            last = Some(cause);
        }
    }

    /// The right to a connection. While it is waited for, no permit is held: it may not be worth having any more
    /// (`None`), and that all connections are busy is not the instance's fault.
    async fn slot(&self, state: &InstanceState, permit: Permit) -> Result<Option<(Slot, Permit)>, Error> {
        if let Some(slot) = state.connections.try_slot() {
            return Ok(Some((slot, permit)));
        }
        drop(permit);
        match timeout_at(self.deadline, state.connections.slot()).await {
            Ok(slot) => Ok(state.breaker.admit(Instant::now()).ok().map(|permit| (slot, permit))),
            Err(_) => Err(self.end(ErrorKind::Deadline.into())),
        }
    }

    fn end(&self, cause: Cause) -> Error {
        let facts = Facts {
            instance: self.tried.last().map(|state| state.instance()),
            attempts: self.attempts,
            elapsed: self.started.elapsed(),
            sent: self.sent,
            all_refused: self.all_refused,
        };
        Error::new(self.core.service, cause, facts)
    }
}

fn may_repeat(idempotence: Idempotence, method: &Method) -> bool {
    match idempotence {
        Idempotence::ByMethod => method.is_idempotent(),
        Idempotence::Always => true,
        Idempotence::Never => false,
    }
}

fn last_good_key(request: &Outgoing) -> Vec<u8> {
    let target = request.target.path_and_query().map_or("", |target| target.as_str());
    let mut key = Vec::with_capacity(target.len() + 8);
    key.extend_from_slice(request.method.as_str().as_bytes());
    key.push(b' ');
    key.extend_from_slice(target.as_bytes());
    if let Some(body) = &request.body {
        key.push(b'\n');
        key.extend_from_slice(body);
    }
    key
}

/// Success decodes; 4xx is an answer to the caller; everything else is a failure of the instance.
fn decode<T: DeserializeOwned>(reply: &Reply) -> Result<T, Cause> {
    let status = reply.status;
    if status.is_success() {
        return serde_json::from_slice(&reply.body)
            .map_err(|error| Cause { source: Some(box_error(error)), ..ErrorKind::Undecodable.into() });
    }
    let kind = if status.is_client_error() { ErrorKind::Rejected } else { ErrorKind::Failed };
    let reason = serde_json::from_slice::<Refusal>(&reply.body).ok().map(|refusal| refusal.reason);
    Err(Cause { status: Some(status), reason, retry_after: reply.retry_after, ..kind.into() })
}

fn box_error(error: impl std::error::Error + Send + Sync + 'static) -> Box<dyn std::error::Error + Send + Sync> {
    Box::new(error)
}

/// Why nobody (else) can be asked, and when that may change.
fn nobody(ready: &Ready, last: Option<Cause>, now: Instant) -> Cause {
    let retest = ready.present.iter().filter_map(|state| state.breaker.retest_at()).min();
    let cause = last.unwrap_or_else(|| match ready.present.is_empty() {
        true => ErrorKind::NoInstance.into(),
        false => ErrorKind::AllOpen.into(),
    });
    let retry_after = cause.retry_after.or_else(|| retest.map(|at| at.saturating_duration_since(now)));
    Cause { retry_after, ..cause }
}
