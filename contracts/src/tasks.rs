//! Tasks: a frontend takes them, the events service keeps a record of each, and backends do them; all by messages.

mod told;

use std::time::Duration;

use http::Method;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

pub use self::told::{Outcome, Task, TaskAnswered, TaskAsked, TaskDone};
use crate::{Call, Idempotence, Policy, Service};

/// Takes tasks, and waits for their results. That no backend is there (504) says nothing of the frontend itself, so
/// that it takes many failures to open its breaker.
#[derive(Debug)]
pub struct Tasks;

impl Service for Tasks {
    const NAME: &'static str = "tasks";
    /// A task takes five seconds at most, and this leaves it two for the way. Identical tasks are done once, so that
    /// whatever breaks may be tried again.
    const POLICY: Policy = Policy::builder()
        .timeout(Duration::from_secs(7))
        .failure_limit(100)
        .health_path("/health")
        .idempotence(Idempotence::Always)
        .build_const();
}

/// Keeps the record of every task.
#[derive(Debug)]
pub struct Events;

impl Service for Events {
    const NAME: &'static str = "events";
    const POLICY: Policy = Policy::builder()
        .timeout(Duration::from_secs(2))
        .health_path("/health")
        .answer_limit(8 * 1024 * 1024)
        .build_const();
}

/// Does tasks. Nobody calls a backend: its tasks come by message.
#[derive(Debug)]
pub struct Backends;

impl Service for Backends {
    const NAME: &'static str = "backends";
    const POLICY: Policy =
        Policy::builder().timeout(Duration::from_secs(1)).failure_limit(1).health_path("/health").build_const();
}

/// Do this task: an object of exactly two properties, such as `{"a1":5,"a2":10}`. Answered with a [`TaskResult`], with
/// 400 for what is no task, and with 504 when nobody has done it in time.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DoTask {
    /// The task.
    pub request: Box<RawValue>,
}

impl Call for DoTask {
    type Service = Tasks;
    type Response = TaskResult;
    const METHOD: Method = Method::POST;
    const ROUTE: &'static str = "/task";
}

/// The answer to [`DoTask`], such as `{"message":"OK","result":"15"}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskResult {
    /// `OK`.
    pub message: String,
    /// What came out: a text, or a number in plain digits.
    pub result: String,
}

/// What is known of one task? Answered with a [`TaskView`], or 404.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GetTask {
    /// The id of its record.
    pub id: String,
}

impl Call for GetTask {
    type Service = Events;
    type Response = TaskView;
    const METHOD: Method = Method::GET;
    const ROUTE: &'static str = "/tasks/{id}";
}

/// The history of tasks up to a point in time, newest first, everything as it was then. Fewer than were asked for, if they
/// are so long that an answer with all of them would not be read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListTasks {
    /// Up to when, in milliseconds since 1970; now, unless said.
    pub until: Option<u64>,
    /// How many at most: 1 to [`MOST_TASKS`]; 50 unless said.
    pub most: Option<u32>,
}

impl Call for ListTasks {
    type Service = Events;
    type Response = Vec<TaskView>;
    const METHOD: Method = Method::GET;
    const ROUTE: &'static str = "/tasks";
}

/// The most tasks in one answer.
pub const MOST_TASKS: u32 = 1000;

/// A task, as its record says it. Times are milliseconds since 1970.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TaskView {
    /// The id of its record.
    pub id: String,
    /// What is to be done, such as `{"a1":5,"a2":10}`.
    pub request: Box<RawValue>,
    /// What has become of it.
    pub state: TaskState,
    /// What came out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<String>,
    /// Why nothing came out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Who did it, such as `backend-2`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// How often it was delivered until it was done: more than once when a backend was killed in the middle of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempts: Option<u32>,
    /// When it came.
    pub received_ms: u64,
    /// When it has to be done.
    pub ends_ms: u64,
    /// When it was over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finished_ms: Option<u64>,
    /// How many requests wait, or waited, for it: identical ones share one execution.
    pub shared_by: u32,
    /// What happened to it, in order.
    pub steps: Vec<TaskStep>,
}

/// What has become of a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TaskState {
    /// It is being done, or waits for a backend.
    Open,
    /// It is done.
    Done,
    /// It cannot be done.
    Failed,
    /// Nobody had done it in time.
    TimedOut,
}

/// Something that happened to a task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskStep {
    /// What: `received`, `dispatched`, `dispatched again`, `replied`, `finished`, `timed out`.
    pub what: String,
    /// By whom, such as `events` or `backend-2`.
    pub by: String,
    /// When, in milliseconds since 1970.
    pub at_ms: u64,
}
