//! Where tasks are handed in, and results come back.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use mainstay::contracts::tasks::{Backends, Events, Outcome, TaskAnswered, TaskAsked};
use mainstay::{Address, Client, Presence, Service};
use mainstay_messaging::{Asker, Error, Messages};
use tokio::sync::OnceCell;
use tokio::time::{Instant, sleep, timeout_at};
use tracing::info;

use crate::clock::now_ms;
use crate::tasks::topics::ASKED;
use crate::tasks::{PATIENCE, Request};

/// How long until what was away is tried again.
const AGAIN: Duration = Duration::from_millis(250);

/// Hands in tasks. Clones share everything.
#[derive(Debug, Clone)]
pub(super) struct Desk(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    messages: Messages,
    /// Made when messages can be sent for the first time.
    asker: OnceCell<Asker<TaskAnswered>>,
    /// Nobody calls these: who is there is worth knowing when nobody answers.
    events: Client<Events>,
    backends: Client<Backends>,
}

/// Why a task has no result.
#[derive(Debug)]
pub(super) enum NoResult {
    /// It cannot be done.
    Failed(TaskAnswered, String),
    /// Nobody has done it in time.
    Late(String),
    /// It could not be handed in.
    Unsent(String),
}

impl Desk {
    pub(super) fn new(messages: Messages, registry: &Address) -> io::Result<Self> {
        let events = Client::builder().registry(registry.clone()).build().map_err(io::Error::other)?;
        let backends = Client::builder().registry(registry.clone()).build().map_err(io::Error::other)?;
        Ok(Self(Arc::new(Inner { messages, asker: OnceCell::new(), events, backends })))
    }

    /// Gets ready for the first task, however long that takes.
    pub(super) async fn open(&self) {
        ASKED.declare(&self.0.messages).await;
        while let Err(error) = self.asker().await {
            info!("results cannot come: {error}; trying on");
            sleep(AGAIN).await;
        }
    }

    async fn asker(&self) -> Result<&Asker<TaskAnswered>, Error> {
        self.0.asker.get_or_try_init(|| self.0.messages.asker()).await
    }

    /// Has a task done; what came of it, and its result.
    pub(super) async fn hand_in(&self, request: &Request) -> Result<(TaskAnswered, String), NoResult> {
        let deadline = Instant::now() + PATIENCE;
        let until_ms = now_ms() + PATIENCE.as_millis() as u64;
        let asked = TaskAsked { request: request.canonical().to_owned(), until_ms };
        loop {
            // One that cannot be handed in by then is as late as any other, and is nobody's fault but the hub's.
            let Ok(answered) = timeout_at(deadline, self.ask(&asked, deadline)).await else {
                return Err(NoResult::Unsent("messages cannot be sent".to_owned()));
            };
            match answered {
                Ok(answered) => match answered.outcome.clone() {
                    Some(Outcome::Result(result)) => return Ok((answered, result)),
                    Some(Outcome::Reason(reason)) => return Err(NoResult::Failed(answered, reason)),
                    // It shared an execution that began earlier, and so ended earlier.
                    None if Instant::now() + AGAIN < deadline => {}
                    None => return Err(NoResult::Late(self.why_late())),
                },
                Err(error) if error.is_unanswered() => return Err(NoResult::Late(self.why_late())),
                Err(error) => return Err(NoResult::Unsent(format!("messages cannot be sent: {error}"))),
            }
        }
    }

    async fn ask(&self, asked: &TaskAsked, deadline: Instant) -> Result<TaskAnswered, Error> {
        let asker = self.asker().await?;
        match asker.ask(asked, deadline).await {
            Err(error) if error.is_unknown() => {
                // Whatever keeps messages has started anew.
                ASKED.make(&self.0.messages).await?;
                asker.ask(asked, deadline).await
            }
            answered => answered,
        }
    }

    fn why_late(&self) -> String {
        let late = format!("nobody has done it within {} s", PATIENCE.as_secs());
        match (present(&self.0.events), present(&self.0.backends)) {
            (0, _) => format!("{late}: no events service is registered"),
            (_, 0) => format!("{late}: no backend is registered"),
            (_, 1) => format!("{late}: 1 backend is registered"),
            (_, backends) => format!("{late}: {backends} backends are registered"),
        }
    }
}

fn present<S: Service>(client: &Client<S>) -> usize {
    client.snapshot().instances.iter().filter(|view| view.presence != Presence::Gone).count()
}
