//! A record of a task, as others see it.

use std::time::SystemTime;

use mainstay::contracts::tasks::{Outcome, TaskAnswered, TaskState, TaskStep, TaskView};
use mainstay_records::{Error, Record, State};
use serde::{Deserialize, Serialize};

use crate::clock::to_ms;

/// What is kept as a record's result.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Kept {
    pub(super) by: String,
    pub(super) attempt: u32,
    pub(super) outcome: Outcome,
}

/// What somebody is told who wants a task done that has ended.
pub(super) fn answer(record: &Record, from_record: bool) -> Result<TaskAnswered, Error> {
    let outcome = record.result::<Kept>()?.map(|kept| kept.outcome);
    Ok(TaskAnswered { id: record.id.clone(), outcome, from_record })
}

/// A task as it was at a point in time.
pub(super) fn view(record: &Record, at: SystemTime) -> Result<TaskView, Error> {
    let finished = record.finished.filter(|finished| *finished <= at);
    let state = match (finished, record.state) {
        (None, _) | (_, State::Open) => TaskState::Open,
        (_, State::Complete) => TaskState::Done,
        (_, State::Closed) => TaskState::TimedOut,
        (_, State::Failed) => TaskState::Failed,
    };
    let (mut result, mut reason, mut by, mut attempts) = (None, None, None, None);
    if let Some(kept) = record.result::<Kept>()?.filter(|_| finished.is_some()) {
        match kept.outcome {
            Outcome::Result(said) => result = Some(said),
            Outcome::Reason(said) => reason = Some(said),
        }
        (by, attempts) = (Some(kept.by), Some(kept.attempt));
    } else if state == TaskState::TimedOut {
        reason = Some("nobody has done it in time".to_owned());
    }
    let steps = record.steps.iter().filter(|step| step.at <= at);
    let received_ms = to_ms(record.received);
    Ok(TaskView {
        id: record.id.clone(),
        request: record.request.clone(),
        state,
        result,
        reason,
        by,
        attempts,
        received_ms,
        ends_ms: record.ends_at.map_or(received_ms, to_ms),
        finished_ms: finished.map(to_ms),
        shared_by: u32::try_from(record.waiters.len()).unwrap_or(u32::MAX),
        steps: steps
            .map(|step| TaskStep { what: step.what.clone(), by: step.by.clone(), at_ms: to_ms(step.at) })
            .collect(),
    })
}
