//! What is written down of tasks, and what follows from it.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use futures_util::future::join_all;
use mainstay::contracts::tasks::{Outcome, Task, TaskAnswered, TaskAsked, TaskDone};
use mainstay_messaging::{Delivery, Envelope, Failed, Messages};
use mainstay_records::{Begun, Ending, Error, New, Records};
use tokio::time::{Instant, MissedTickBehavior, interval};
use tracing::{debug, warn};

use super::view::{Kept, answer};
use crate::clock::now_ms;
use crate::tasks::{PATIENCE, Request};

/// The kind of its records.
pub(super) const KIND: &str = "tasks";
/// What it calls itself in a step.
const ME: &str = "events";

/// How often it is looked whether a task is late.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// Late tasks at once.
const PAGE: usize = 1000;
/// How often old records are forgotten.
const PRUNE_EVERY: Duration = Duration::from_secs(60);
/// How long records are kept.
const KEPT_FOR: Duration = Duration::from_secs(24 * 60 * 60);
/// How many of them, at most.
const MOST_KEPT: u64 = 100_000;
/// The longest text that records find an identical task by.
const SHARED_BYTES: usize = 1024;

/// Writes records of tasks.
#[derive(Debug)]
pub(super) struct Book {
    messages: Messages,
    records: Records,
}

impl Book {
    pub(super) fn new(messages: Messages, records: Records) -> Self {
        Self { messages, records }
    }

    /// Somebody wants a task done.
    pub(super) async fn asked(self: Arc<Self>, delivery: Arc<Delivery<TaskAsked>>) -> Result<(), Failed> {
        let TaskAsked { request, until_ms } = &delivery.message;
        let left = Duration::from_millis(until_ms.saturating_sub(now_ms())).min(PATIENCE);
        if left.is_zero() {
            debug!("{} is not begun: nobody waits for it any more", delivery.id);
            return Ok(());
        }
        let request = match Request::read(request.get().as_bytes()) {
            Ok(request) => request,
            // The frontend asks for tasks only; anybody else is told.
            Err(bad) => {
                let outcome = Some(Outcome::Reason(bad.to_string()));
                let answered = TaskAnswered { id: delivery.id.clone(), outcome, from_record: false };
                return Ok(self.messages.reply(&delivery, &answered).await?);
            }
        };
        match self.begin(&delivery, &request, left).await {
            Ok(Begun::New(_) | Begun::UnderWay(_)) => Ok(()),
            Ok(Begun::Done(record)) => {
                let from_record = record.id != delivery.id;
                Ok(self.messages.reply(&delivery, &answer(&record, from_record)?).await?)
            }
            Err(error) => refused(&delivery, error).await,
        }
    }

    /// Under the message's own id: delivered again, it begins no second time.
    async fn begin(&self, delivery: &Delivery<TaskAsked>, request: &Request, left: Duration) -> Result<Begun, Error> {
        let canonical = request.canonical();
        let mut new = New::of(KIND, &canonical)?.under(&delivery.id).ends_in(left);
        new = new.step("received", ME).step("dispatched", ME);
        if let (Some(channel), Some(correlation)) = (&delivery.reply_to, &delivery.correlation) {
            new = new.waiter(channel, correlation);
        }
        if is_shared(canonical.get()) {
            new = new.shared_as(canonical.get());
        }
        let until_ms = delivery.message.until_ms.min(now_ms() + PATIENCE.as_millis() as u64);
        let task = Task { id: new.id().to_owned(), request: canonical.to_owned(), until_ms };
        // A task is JSON whatever is in it.
        let Ok(task) = Envelope::new(format!("task-{}", task.id), &task) else {
            unreachable!("a task that is no JSON")
        };
        self.records.begin(new.publish(task)).await
    }

    /// A backend has done a task. Whoever is the first to say so finishes its record.
    pub(super) async fn done(self: Arc<Self>, delivery: Arc<Delivery<TaskDone>>) -> Result<(), Failed> {
        let TaskDone { id, by, attempt, outcome } = delivery.message.clone();
        let mut ending = match &outcome {
            Outcome::Result(_) => Ending::complete(),
            Outcome::Reason(_) => Ending::failed(),
        };
        let answered = TaskAnswered { id: id.clone(), outcome: Some(outcome.clone()), from_record: false };
        let told = Envelope::new(format!("answered-{id}"), &answered)?;
        if attempt > 1 {
            ending = ending.step("dispatched again", ME);
        }
        ending = ending.step("replied", &by).step("finished", ME).tell(told);
        let finished = match ending.result(&Kept { by, attempt, outcome }) {
            Ok(ending) => self.records.finish(&id, ending).await,
            Err(error) => Err(error),
        };
        match finished {
            Ok(true) => Ok(()),
            Ok(false) => {
                debug!("task {id} was finished before, or there is none");
                Ok(())
            }
            Err(error) => refused(&delivery, error).await,
        }
    }

    /// Closes what is late and forgets what is old, for ever.
    pub(super) async fn keep(&self) {
        let mut look = interval(LOOK_EVERY);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut prune_at = Instant::now();
        let mut was_away = false;
        loop {
            let now = look.tick().await;
            let mut kept = self.close_late().await;
            if kept.is_ok() && now >= prune_at {
                prune_at = now + PRUNE_EVERY;
                let oldest = SystemTime::now().checked_sub(KEPT_FOR).unwrap_or(SystemTime::UNIX_EPOCH);
                kept = self.records.prune(KIND, oldest, MOST_KEPT).await.map(drop);
            }
            if let Err(error) = &kept
                && !was_away
            {
                warn!("late tasks cannot be closed: {error}; trying on");
            }
            was_away = kept.is_err();
        }
    }

    async fn close_late(&self) -> Result<(), Error> {
        loop {
            let late = self.records.due(KIND, SystemTime::now(), PAGE).await?;
            let closed = join_all(late.iter().map(|record| self.close(&record.id))).await;
            closed.into_iter().collect::<Result<(), Error>>()?;
            if late.len() < PAGE {
                return Ok(());
            }
        }
    }

    async fn close(&self, id: &str) -> Result<(), Error> {
        let answered = TaskAnswered { id: id.to_owned(), outcome: None, from_record: false };
        let Ok(told) = Envelope::new(format!("answered-{id}"), &answered) else {
            unreachable!("an id that is no JSON")
        };
        self.records.finish(id, Ending::closed().step("timed out", ME).tell(told)).await.map(drop)
    }
}

/// A message that never can be written down is put aside; others are delivered again.
async fn refused<M: mainstay_messaging::Message>(delivery: &Delivery<M>, error: Error) -> Result<(), Failed> {
    if !error.is_bad() {
        return Err(error.into());
    }
    warn!("{} is rejected: {error}", delivery.id);
    Ok(delivery.reject().await?)
}

/// Records find it by a text that is short and printable.
fn is_shared(canonical: &str) -> bool {
    canonical.len() <= SHARED_BYTES && !canonical.chars().any(char::is_control)
}
