//! Tasks: how the Market sends them, and how the console tells what became of them.

mod sum;

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use mainstay::Client;
use mainstay::contracts::tasks::{DoTask, TaskState, TaskView, Tasks as Contract};
use parking_lot::Mutex;
use tokio::sync::Semaphore;
use tokio::time::Instant;
use tracing::info;

pub(crate) use self::sum::Sum;
use crate::book::Entries;
use crate::tape::{TARGET, one_line};

/// How many tasks the buttons for many send.
pub(crate) const MANY: u32 = 30;

/// How many presses may be under way.
pub(crate) const AT_ONCE: usize = 8;

/// Sends the page's tasks. It remembers those that were sent last.
#[derive(Debug)]
pub(crate) struct Sender {
    client: Client<Contract>,
    last: Mutex<Option<Arc<Sent>>>,
    free: Semaphore,
    /// How many different ones have been sent, so that the next ones are different from them too: what is done already
    /// is answered from its record.
    varied: AtomicI64,
}

/// What a button sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum What {
    /// One task.
    One,
    /// Different ones.
    Many,
    /// As many that are identical.
    Alike,
}

/// Tasks that were sent at once.
#[derive(Debug)]
pub(crate) struct Sent {
    /// What stood in the form.
    pub(crate) sum: Sum,
    /// One for each task, in the order in which they were sent.
    pub(crate) answers: Vec<Sending>,
    /// How long it took until all were answered, or were not.
    pub(crate) elapsed: Duration,
}

/// A task that was sent.
#[derive(Debug)]
pub(crate) struct Sending {
    /// As it was sent.
    pub(crate) request: String,
    /// What the frontend answered, or why it did not.
    pub(crate) answer: Result<String, String>,
}

/// As many presses are under way as there may be.
#[derive(Debug)]
pub(crate) struct Busy;

impl Sender {
    pub(crate) fn new(client: Client<Contract>) -> Self {
        Self { client, last: Mutex::default(), free: Semaphore::new(AT_ONCE), varied: AtomicI64::default() }
    }

    /// The client that sends them.
    pub(crate) fn client(&self) -> &Client<Contract> {
        &self.client
    }

    /// What was sent last.
    pub(crate) fn last(&self) -> Option<Arc<Sent>> {
        self.last.lock().clone()
    }

    /// Sends tasks, and waits until all are answered, or will not be.
    pub(crate) async fn send(&self, sum: Sum, what: What) -> Result<(), Busy> {
        let _place = self.free.try_acquire().map_err(|_| Busy)?;
        let began = Instant::now();
        let sums: Vec<Sum> = match what {
            What::One => vec![sum.clone()],
            What::Alike => vec![sum.clone(); MANY as usize],
            What::Many => {
                let from = self.varied.fetch_add(i64::from(MANY), Ordering::Relaxed);
                (0..i64::from(MANY)).map(|by| sum.varied(from + by)).collect()
            }
        };
        let answers = join_all(sums.iter().map(|sum| self.ask(sum))).await;
        *self.last.lock() = Some(Arc::new(Sent { sum, answers, elapsed: began.elapsed() }));
        Ok(())
    }

    async fn ask(&self, sum: &Sum) -> Sending {
        let request = match sum.request() {
            Ok(request) => request,
            Err(error) => return Sending { request: String::new(), answer: Err(error.to_string()) },
        };
        let sent = request.get().to_owned();
        let answer = match self.client.call(DoTask { request }).await {
            Ok(answer) => Ok(answer.value.result),
            Err(error) => Err(error.reason().map_or_else(|| error.to_string(), str::to_owned)),
        };
        Sending { request: sent, answer }
    }
}

impl Entries for Vec<TaskView> {
    fn is_under_way(&self) -> bool {
        self.iter().any(|task| task.state == TaskState::Open)
    }

    fn tell(&self, before: &Self) {
        let is_over = |task: &&TaskView| task.state != TaskState::Open;
        let over: HashSet<&str> = before.iter().filter(is_over).map(|task| task.id.as_str()).collect();
        for task in self.iter().rev().filter(is_over).filter(|task| !over.contains(task.id.as_str())) {
            info!(target: TARGET, "{}", story(task));
        }
    }
}

/// `TASK {"a1":5,"a2":10} is 15, by backend-2 in 3 ms`
fn story(task: &TaskView) -> String {
    let took = task.finished_ms.unwrap_or(task.ends_ms).saturating_sub(task.received_ms);
    let by = task.by.as_ref().map(|by| format!(", by {by}")).unwrap_or_default();
    let reason = || task.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
    let what = match task.state {
        TaskState::Done => format!("is {}{by}", task.result.as_deref().unwrap_or_default()),
        TaskState::Failed => format!("failed{by}{}", reason()),
        TaskState::TimedOut => "timed out: nobody had done it".to_owned(),
        TaskState::Open => "is under way".to_owned(),
    };
    one_line(&format!("TASK {} {what} in {took} ms", task.request.get()))
}

#[cfg(test)]
mod tests {
    use serde_json::value::RawValue;

    use super::*;

    #[test]
    fn a_task_that_is_over_is_one_line() {
        let task = TaskView {
            id: "7".to_owned(),
            request: RawValue::from_string(r#"{"a1":5,"a2":10}"#.to_owned()).unwrap(),
            state: TaskState::Done,
            result: Some("15".to_owned()),
            reason: None,
            by: Some("backend-2".to_owned()),
            attempts: Some(1),
            received_ms: 1000,
            ends_ms: 6000,
            finished_ms: Some(1003),
            shared_by: 1,
            steps: Vec::new(),
        };
        assert_eq!(story(&task), r#"TASK {"a1":5,"a2":10} is 15, by backend-2 in 3 ms"#);
        let late = TaskView { state: TaskState::TimedOut, result: None, by: None, finished_ms: None, ..task };
        assert_eq!(story(&late), r#"TASK {"a1":5,"a2":10} timed out: nobody had done it in 5000 ms"#);
    }
}
