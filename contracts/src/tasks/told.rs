//! What frontend, events and backends tell each other.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::Message;

/// Somebody wants a task done. Correlated, with a channel for the [`TaskAnswered`].
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TaskAsked {
    /// The task, in its canonical form: identical ones have the same text.
    pub request: Box<RawValue>,
    /// Until when it is waited for, in milliseconds since 1970.
    pub until_ms: u64,
}

impl Message for TaskAsked {
    const TOPIC: &'static str = "task_asked";
}

/// A task is to be done, by one backend.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Task {
    /// The id of its record.
    pub id: String,
    /// The task, in its canonical form.
    pub request: Box<RawValue>,
    /// When nobody waits for it any more, in milliseconds since 1970.
    pub until_ms: u64,
}

impl Message for Task {
    const TOPIC: &'static str = "task";
}

/// A backend has done a task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskDone {
    /// The id of its record.
    pub id: String,
    /// Who, such as `backend-2`.
    pub by: String,
    /// At which delivery, counted from 1: more than one when a backend was killed in the middle of it.
    pub attempt: u32,
    /// What came of it.
    pub outcome: Outcome,
}

impl Message for TaskDone {
    const TOPIC: &'static str = "task_done";
}

/// What came of a task that somebody wanted done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskAnswered {
    /// The id of its record.
    pub id: String,
    /// What came of it; nothing when nobody had done it in time. Who shares it and still has time asks again.
    pub outcome: Option<Outcome>,
    /// It had been done before, and this is what its record says.
    pub from_record: bool,
}

impl Message for TaskAnswered {
    const TOPIC: &'static str = "task_answered";
}

/// What comes of doing a task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// A result: a text, or a number in plain digits.
    Result(String),
    /// It cannot be done: says why.
    Reason(String),
}
