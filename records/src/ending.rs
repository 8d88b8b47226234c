//! A request at its end.

use mainstay_messaging::Envelope;
use serde::Serialize;
use serde_json::value::RawValue;

use crate::record::{State, Step};
use crate::{Error, limits};

/// How a request ends, and what follows from that.
#[derive(Debug, Clone)]
pub struct Ending {
    pub(crate) state: State,
    pub(crate) result: Option<Box<RawValue>>,
    pub(crate) steps: Vec<Step>,
    pub(crate) envelopes: Vec<Envelope>,
    pub(crate) tell: Option<Envelope>,
}

/// What may be appended to the id of a message that every waiter gets a copy of.
const SUFFIX: usize = 8;

impl Ending {
    fn new(state: State) -> Self {
        Self { state, result: None, steps: Vec::new(), envelopes: Vec::new(), tell: None }
    }

    /// It has what it asked for.
    pub fn complete() -> Self {
        Self::new(State::Complete)
    }

    /// Its deadline has come.
    pub fn closed() -> Self {
        Self::new(State::Closed)
    }

    /// It could not be done.
    pub fn failed() -> Self {
        Self::new(State::Failed)
    }

    /// What came of it.
    ///
    /// # Errors
    /// When it cannot be written as JSON, or is longer than 1 MiB so.
    pub fn result(self, result: &impl Serialize) -> Result<Self, Error> {
        Ok(Self { result: Some(limits::json("result", result)?), ..self })
    }

    /// Something that has happened to it by now.
    #[must_use]
    pub fn step(mut self, what: &str, by: &str) -> Self {
        self.steps.push(Step::now(what, by));
        self
    }

    /// A message that is published if it ends by this, and only then.
    #[must_use]
    pub fn publish(mut self, envelope: Envelope) -> Self {
        self.envelopes.push(envelope);
        self
    }

    /// A message of which every waiter gets a copy: to their channel, with their correlation, under an id made of its own.
    #[must_use]
    pub fn tell(self, envelope: Envelope) -> Self {
        Self { tell: Some(envelope), ..self }
    }

    pub(crate) fn check(&self) -> Result<(), Error> {
        self.steps.iter().try_for_each(Step::check)?;
        limits::steps(self.steps.len())?;
        let longest =
            self.tell.clone().map(|told| Envelope { id: format!("{}{}", told.id, "0".repeat(SUFFIX)), ..told });
        limits::envelopes(self.envelopes.iter().chain(&longest))
    }
}
