//! Tasks: the answer to those that were sent last, and the history, each with its way.

use std::collections::{BTreeMap, HashSet};

use askama::Template;
use mainstay::contracts::tasks::{TaskState, TaskStep, TaskView};
use pipeline::tasks::{KINDS, Kind};

use super::frame::Frame;
use super::words::{count, sentence};
use crate::state::State;
use crate::tab::Tab;
use crate::tasks::{MANY, Sent, Sum};

/// How many of the history are shown.
const SHOWN: usize = 30;

/// The part of the page that shows what was sent last.
#[derive(Template)]
#[template(path = "sent.html")]
pub(super) struct LastSent<'a> {
    sent: Option<&'a Sent>,
    known: &'a [TaskView],
    /// The record of one that was sent alone.
    task: Option<Told<'a>>,
}

impl<'a> LastSent<'a> {
    pub(super) fn of(state: &'a State) -> Self {
        let sent = state.books.sent.as_deref();
        let alone = sent.and_then(|sent| if let [alone] = &sent.answers[..] { Some(alone) } else { None });
        let found = alone.and_then(|alone| all(state).iter().find(|task| task.request.get() == alone.request));
        Self { sent, known: all(state), task: found.map(|task| Told { task }) }
    }

    fn answered(&self, sent: &Sent) -> String {
        let answered = sent.answers.iter().filter(|sending| sending.answer.is_ok()).count();
        format!("{answered} of {} answered", sent.answers.len())
    }

    /// How many each has done of them: `backend #1 did 10 · backend #2 did 20`.
    fn shares(&self, sent: &Sent) -> String {
        let requests: HashSet<&str> = sent.answers.iter().map(|sending| sending.request.as_str()).collect();
        let mut shares = BTreeMap::<&str, usize>::new();
        let mine = self.known.iter().filter(|task| requests.contains(task.request.get()));
        mine.filter_map(|task| task.by.as_deref()).for_each(|by| *shares.entry(by).or_default() += 1);
        shares.into_iter().map(|(by, times)| format!("{} did {times}", short(by))).collect::<Vec<_>>().join(" · ")
    }

    /// Why some were not answered, and how many for each reason.
    fn reasons(&self, sent: &Sent) -> Vec<String> {
        let mut reasons = BTreeMap::<&str, usize>::new();
        let unanswered = sent.answers.iter().filter_map(|sending| sending.answer.as_ref().err());
        unanswered.for_each(|why| *reasons.entry(why).or_default() += 1);
        let told =
            |(why, times): (&str, usize)| if times == 1 { sentence(why) } else { format!("{times} times: {why}") };
        reasons.into_iter().map(told).collect()
    }
}

/// The part of the page that shows the history.
#[derive(Template)]
#[template(path = "history.html")]
pub(super) struct History<'a> {
    tasks: Vec<Told<'a>>,
    lost: Option<&'a str>,
    open: usize,
    timed_out: usize,
    again: usize,
    known: usize,
}

impl<'a> History<'a> {
    pub(super) fn of(state: &'a State) -> Self {
        let known = all(state);
        let how_many = |wanted| known.iter().filter(|task| task.state == wanted).count();
        Self {
            tasks: known.iter().take(SHOWN).map(|task| Told { task }).collect(),
            lost: state.books.tasks.as_deref().and_then(|seen| seen.lost.as_deref()),
            open: how_many(TaskState::Open),
            timed_out: how_many(TaskState::TimedOut),
            again: known.iter().filter(|task| Told { task }.was_delivered_again()).count(),
            known: known.len(),
        }
    }

    fn lost(&self) -> Option<String> {
        self.lost.map(sentence)
    }

    fn known(&self) -> String {
        count(self.known, "task")
    }
}

/// One task alone, on the page of its own address.
#[derive(Template)]
#[template(path = "task.html")]
struct Alone<'a> {
    told: Told<'a>,
}

/// The tasks' whole page.
#[derive(Template)]
#[template(path = "tasks.html")]
struct Page<'a> {
    frame: Frame,
    alone: Option<Alone<'a>>,
    sum: &'a Sum,
    operations: &'static [Kind],
    many: u32,
    message: &'a str,
}

/// The tasks' whole page, with one of them on top if one is wanted.
pub(crate) fn page(state: &State, alone: Option<&TaskView>, sum: &Sum, message: &str) -> String {
    let (frame, alone) = (Frame::of(Tab::Tasks, state), alone.map(|task| Alone { told: Told { task } }));
    Page { frame, alone, sum, operations: KINDS, many: MANY, message }.render().unwrap_or_default()
}

/// A task as people read it.
#[derive(Debug)]
pub(super) struct Told<'a> {
    pub(super) task: &'a TaskView,
}

impl Told<'_> {
    /// The value of `data-state`.
    fn state(&self) -> &'static str {
        match self.task.state {
            TaskState::Open => "open",
            TaskState::Done => "done",
            TaskState::Failed => "failed",
            TaskState::TimedOut => "timed-out",
        }
    }

    /// What came of it.
    fn outcome(&self) -> &str {
        match self.task.state {
            TaskState::Open => "…",
            TaskState::Done => self.task.result.as_deref().unwrap_or_default(),
            TaskState::Failed => self.task.reason.as_deref().unwrap_or("failed"),
            TaskState::TimedOut => "timed out",
        }
    }

    /// Who did it, as the instances are called beside it.
    fn by(&self) -> String {
        self.task.by.as_deref().map(short).unwrap_or_default()
    }

    /// How long it took.
    fn millis(&self) -> Option<u64> {
        Some(self.task.finished_ms?.saturating_sub(self.task.received_ms))
    }

    /// Identical requests that had one execution.
    fn shared(&self) -> Option<String> {
        (self.task.shared_by > 1).then(|| format!("for {}", count(self.task.shared_by as usize, "request")))
    }

    fn was_delivered_again(&self) -> bool {
        self.task.attempts.is_some_and(|attempts| attempts > 1)
    }

    /// Its steps, with the milliseconds since it came.
    fn steps(&self) -> Vec<(&TaskStep, String, u64)> {
        let since = |step: &TaskStep| step.at_ms.saturating_sub(self.task.received_ms);
        self.task.steps.iter().map(|step| (step, short(&step.by), since(step))).collect()
    }
}

/// `backend #2` of `backend-2`; others as they are.
fn short(by: &str) -> String {
    match by.rsplit_once('-') {
        Some((who, number)) if number.parse::<u32>().is_ok() => format!("{who} #{number}"),
        _ => by.to_owned(),
    }
}

fn all(state: &State) -> &[TaskView] {
    state.books.tasks.as_deref().and_then(|seen| seen.entries.as_deref()).map_or(&[], Vec::as_slice)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_did_it_is_called_as_in_the_table() {
        assert_eq!(
            ["backend-2", "events", "tasks-4000", "a-b"].map(short),
            ["backend #2", "events", "tasks #4000", "a-b"]
        );
    }
}
