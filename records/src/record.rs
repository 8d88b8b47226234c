//! What is kept of a request.

use std::fmt;
use std::str::FromStr;
use std::time::SystemTime;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::time::{from_micros, to_micros};
use crate::{Error, limits};

/// A request, and what came of it so far.
#[derive(Debug, Clone)]
pub struct Record {
    /// A UUID. Those made later come later, unless somebody chose them.
    pub id: String,
    /// Of whose requests it is one.
    pub kind: String,
    /// What other requests of its kind it is equal to.
    pub fingerprint: Option<String>,
    /// How far it has come.
    pub state: State,
    /// What was requested, as JSON.
    pub request: Box<RawValue>,
    /// What came of it, as JSON.
    pub result: Option<Box<RawValue>>,
    /// When it began.
    pub received: SystemTime,
    /// Its deadline: no reply is stored from then on.
    pub ends_at: Option<SystemTime>,
    /// When it was completed, closed, or failed.
    pub finished: Option<SystemTime>,
    /// How many were asked.
    pub asked: u32,
    /// Who answered, in the order in which they did.
    pub replies: Vec<Reply>,
    /// What happened to it, in that order.
    pub steps: Vec<Step>,
    /// Who is to be told of its end.
    pub waiters: Vec<Waiter>,
}

/// How far a request has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// It is under way.
    Open,
    /// It has what it asked for.
    Complete,
    /// Its deadline came first.
    Closed,
    /// It could not be done.
    Failed,
}

/// One answer.
#[derive(Debug, Clone)]
pub struct Reply {
    /// Whose.
    pub responder: String,
    /// What they said, as JSON.
    pub body: Box<RawValue>,
    /// When it was stored.
    pub at: SystemTime,
}

/// Something that happened to a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// What: received, dispatched, replied, finished.
    pub what: String,
    /// Who did it.
    pub by: String,
    /// When.
    #[serde(with = "micros")]
    pub at: SystemTime,
}

/// Somebody who is to be told of a request's end, also if that comes after a restart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiter {
    /// The channel that the reply goes to.
    pub channel: String,
    /// By what they know their request.
    pub correlation: String,
}

/// What became of a reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Replied {
    /// It is stored.
    Stored {
        /// How many have answered, this one included.
        answered: u32,
        /// How many were asked.
        asked: u32,
    },
    /// This responder had answered already. The first answer stands.
    Twice,
    /// There is no such request, or no more.
    Unknown,
    /// It is finished, its deadline has come, or as many as were asked have answered.
    Ended,
}

impl Record {
    /// What was requested.
    ///
    /// # Errors
    /// When it is no `T`.
    pub fn request<T: DeserializeOwned>(&self) -> Result<T, Error> {
        read("request", &self.request)
    }

    /// What came of it, if anything did.
    ///
    /// # Errors
    /// When it is no `T`.
    pub fn result<T: DeserializeOwned>(&self) -> Result<Option<T>, Error> {
        self.result.as_deref().map(|result| read("result", result)).transpose()
    }
}

impl Reply {
    /// What they said.
    ///
    /// # Errors
    /// When it is no `T`.
    pub fn body<T: DeserializeOwned>(&self) -> Result<T, Error> {
        read("reply", &self.body)
    }
}

fn read<T: DeserializeOwned>(what: &str, json: &RawValue) -> Result<T, Error> {
    serde_json::from_str(json.get()).map_err(|error| Error::bad(format!("the {what} reads otherwise: {error}")))
}

impl Step {
    pub(crate) fn now(what: &str, by: &str) -> Self {
        Self { what: what.to_owned(), by: by.to_owned(), at: crate::time::now() }
    }

    pub(crate) fn check(&self) -> Result<(), Error> {
        limits::name("step", &self.what)?;
        limits::name("name of who did a step", &self.by)
    }
}

impl State {
    /// Has it an end?
    pub fn is_ended(self) -> bool {
        self != Self::Open
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Complete => "complete",
            Self::Closed => "closed",
            Self::Failed => "failed",
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for State {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        let states = [Self::Open, Self::Complete, Self::Closed, Self::Failed];
        let found = states.into_iter().find(|state| state.name() == name);
        found.ok_or_else(|| Error::foreign(format!("a record is in state {name:?}, which is not known here")))
    }
}

/// An id as stores have it; `None` when it is no UUID, and so nobody's.
pub(crate) fn parse_id(id: &str) -> Option<Uuid> {
    Uuid::try_parse(id).ok()
}

mod micros {
    use super::{Deserialize, SystemTime, from_micros, to_micros};
    use serde::{Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(at: &SystemTime, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_i64(to_micros(*at))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SystemTime, D::Error> {
        Ok(from_micros(i64::deserialize(deserializer)?))
    }
}
