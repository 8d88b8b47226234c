//! What instances that take messages have done, as the books tell it.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use mainstay::contracts::quotes::RfqView;
use mainstay::contracts::tasks::TaskView;

use crate::kind::Kind;
use crate::market::Market;
use crate::traffic::{BARS, Bar, STEP};

/// The books, and the time they are read at.
pub(super) struct Work {
    rfqs: Option<Arc<Vec<RfqView>>>,
    tasks: Option<Arc<Vec<TaskView>>>,
    now_ms: u64,
}

/// How much one instance has done of what is in the book, and when.
#[derive(Debug, Default)]
pub(super) struct Done {
    pub(super) count: u64,
    pub(super) bars: Vec<Bar>,
}

const ONE: Bar = Bar { ok: 1, failed: 0 };

impl Work {
    pub(super) fn of(market: &Market) -> Self {
        let clients = market.clients();
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self {
            rfqs: clients.and_then(|clients| clients.rfqs.seen().entries.clone()),
            tasks: clients.and_then(|clients| clients.history.seen().entries.clone()),
            now_ms: u64::try_from(now.as_millis()).unwrap_or(u64::MAX),
        }
    }

    /// What the instance of this name has done; nothing for a kind that is called.
    pub(super) fn done(&self, kind: Kind, id: &str) -> Option<Done> {
        kind.work.as_ref()?;
        Some(match kind {
            Kind::Providers => answers(self.rfqs.as_deref().map_or(&[], Vec::as_slice), id),
            _ => tasks(self.tasks.as_deref().map_or(&[], Vec::as_slice), id, self.now_ms),
        })
    }
}

/// A bar for each request that it has answered, the newest at the right.
fn answers(rfqs: &[RfqView], id: &str) -> Done {
    let mut bars = vec![Bar::default(); BARS];
    let answered = |rfq: &RfqView| rfq.quotes.iter().any(|quoted| quoted.responder == id);
    for (bar, _) in bars.iter_mut().rev().zip(rfqs).filter(|(_, rfq)| answered(rfq)) {
        *bar = ONE;
    }
    Done { count: bars.iter().map(|bar| bar.ok).sum(), bars }
}

/// How many tasks it had done in each step of the last minute.
fn tasks(tasks: &[TaskView], id: &str, now_ms: u64) -> Done {
    let mut done = Done { count: 0, bars: vec![Bar::default(); BARS] };
    let step = STEP.as_millis() as u64;
    for task in tasks.iter().filter(|task| task.by.as_deref() == Some(id)) {
        done.count += 1;
        let age = now_ms.saturating_sub(task.finished_ms.unwrap_or(now_ms)) / step;
        if let Some(bar) = usize::try_from(age).ok().and_then(|age| done.bars.iter_mut().rev().nth(age)) {
            bar.ok += 1;
        }
    }
    done
}

#[cfg(test)]
mod tests {
    use mainstay::contracts::quotes::{Quoted, RfqState};
    use mainstay::contracts::tasks::TaskState;
    use serde_json::value::RawValue;

    use super::*;

    #[test]
    fn a_provider_has_a_bar_for_each_request_that_it_answered() {
        let rfq = |responders: &[&str]| RfqView {
            id: String::new(),
            from: String::new(),
            to: String::new(),
            customer: String::new(),
            state: RfqState::Closed,
            asked: 2,
            answered: responders.len(),
            closes_in_ms: 0,
            best: None,
            quotes: responders.iter().map(|name| Quoted { responder: (*name).to_owned(), quote: 1 }).collect(),
        };
        let done = answers(&[rfq(&["a", "b"]), rfq(&["b"]), rfq(&["a"])], "a");
        let last: Vec<u64> = done.bars[BARS - 4..].iter().map(|bar| bar.ok).collect();
        assert_eq!((done.count, last), (2, vec![0, 1, 0, 1]));
    }

    #[test]
    fn a_backend_has_a_bar_for_when_it_did_what() {
        let task = |by: &str, finished_ms| TaskView {
            id: String::new(),
            request: RawValue::NULL.to_owned(),
            state: TaskState::Done,
            result: None,
            reason: None,
            by: Some(by.to_owned()),
            attempts: Some(1),
            received_ms: 0,
            ends_ms: 0,
            finished_ms: Some(finished_ms),
            shared_by: 1,
            steps: Vec::new(),
        };
        let now = 1_000_000;
        let all =
            [task("backend-1", now), task("backend-2", now), task("backend-1", now - 2_000), task("backend-1", 0)];
        let done = tasks(&all, "backend-1", now);
        let last: Vec<u64> = done.bars[BARS - 2..].iter().map(|bar| bar.ok).collect();
        assert_eq!((done.count, last), (3, vec![1, 1]));
    }
}
