//! A request at its beginning.

use std::time::{Duration, SystemTime};

use mainstay_messaging::Envelope;
use serde::Serialize;
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::limits::{self, FINGERPRINT_LIMIT};
use crate::record::{Record, Step, Waiter, parse_id};
use crate::{Error, time};

/// A request that is to be recorded, and what follows from it.
#[derive(Debug, Clone)]
pub struct New {
    id: String,
    pub(crate) kind: String,
    pub(crate) fingerprint: Option<String>,
    pub(crate) request: Box<RawValue>,
    pub(crate) received: SystemTime,
    pub(crate) ends_at: Option<SystemTime>,
    pub(crate) asked: u32,
    pub(crate) steps: Vec<Step>,
    pub(crate) waiter: Option<Waiter>,
    pub(crate) envelopes: Vec<Envelope>,
}

/// What became of a request that was to begin.
#[derive(Debug, Clone)]
pub enum Begun {
    /// It has begun, under this id, and its messages leave.
    New(String),
    /// An equal one is under way, and has one more waiter; or this very one is.
    UnderWay(Box<Record>),
    /// An equal one is complete; or this very one has ended, in any way.
    Done(Box<Record>),
}

impl New {
    /// A request of a kind, under an id of its own. It has no deadline, asks one, and shares nothing.
    ///
    /// # Errors
    /// When it cannot be written as JSON, or is longer than 1 MiB so.
    pub fn of(kind: &str, request: &impl Serialize) -> Result<Self, Error> {
        Ok(Self {
            id: Uuid::now_v7().to_string(),
            kind: kind.to_owned(),
            fingerprint: None,
            request: limits::json("request", request)?,
            received: time::now(),
            ends_at: None,
            asked: 1,
            steps: Vec::new(),
            waiter: None,
            envelopes: Vec::new(),
        })
    }

    /// Its id.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Under an id that is known already, a UUID: begun again under it, a request is still one.
    #[must_use]
    pub fn under(self, id: impl Into<String>) -> Self {
        Self { id: id.into(), ..self }
    }

    /// Equal to every request of its kind with this fingerprint. While one of them is under way, the others share it; once
    /// it is complete, they are answered from it. One that was closed, has failed, or is past its deadline answers nobody.
    #[must_use]
    pub fn shared_as(self, fingerprint: impl Into<String>) -> Self {
        Self { fingerprint: Some(fingerprint.into()), ..self }
    }

    /// It ends that long after it was received.
    #[must_use]
    pub fn ends_in(self, after: Duration) -> Self {
        Self { ends_at: self.received.checked_add(after), ..self }
    }

    /// How many are asked, and so how many replies are stored at most.
    #[must_use]
    pub fn asks(self, asked: u32) -> Self {
        Self { asked, ..self }
    }

    /// Something that has happened to it by now.
    #[must_use]
    pub fn step(mut self, what: &str, by: &str) -> Self {
        self.steps.push(Step::now(what, by));
        self
    }

    /// Somebody who is to be told of its end, by [`Ending::tell`](crate::Ending::tell). Shares it, if it is shared.
    #[must_use]
    pub fn waiter(self, channel: impl Into<String>, correlation: impl Into<String>) -> Self {
        Self { waiter: Some(Waiter { channel: channel.into(), correlation: correlation.into() }), ..self }
    }

    /// A message that is published if it begins, and only then.
    #[must_use]
    pub fn publish(mut self, envelope: Envelope) -> Self {
        self.envelopes.push(envelope);
        self
    }

    pub(crate) fn uuid(&self) -> Result<Uuid, Error> {
        parse_id(&self.id).ok_or_else(|| Error::bad(format!("an id is a UUID, not {:?}", self.id)))
    }

    pub(crate) fn waiters(&self) -> &[Waiter] {
        self.waiter.as_slice()
    }

    pub(crate) fn check(&self) -> Result<(), Error> {
        limits::name("kind", &self.kind)?;
        self.fingerprint.iter().try_for_each(|text| limits::text("fingerprint", text, FINGERPRINT_LIMIT))?;
        self.steps.iter().try_for_each(Step::check)?;
        for waiter in self.waiters() {
            limits::name("channel of a waiter", &waiter.channel)?;
            limits::name("correlation of a waiter", &waiter.correlation)?;
        }
        limits::steps(self.steps.len())?;
        limits::envelopes(&self.envelopes)
    }
}
