//! What a backend does with a task.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use mainstay::contracts::tasks::{Outcome, Task, TaskDone};
use mainstay_messaging::{Delivery, Envelope, Failed, Messages};
use serde_json::value::RawValue;
use tokio::time::sleep;
use tracing::info;

use crate::clock::now_ms;
use crate::tasks::Request;
use crate::tasks::topics::{DONE, TO_DO};

/// Tasks at once: few, so that those who are there share what comes in a burst.
const AT_ONCE: usize = 8;

/// Does tasks until the shutdown.
pub(super) async fn work(id: String, delay: Duration, messages: Messages, shutdown: impl Future<Output = ()>) {
    let worker = Arc::new(Worker { id, delay, messages: messages.clone() });
    let handle = move |delivery| Arc::clone(&worker).handle(delivery);
    TO_DO.consume(&messages, AT_ONCE, handle, shutdown).await;
}

struct Worker {
    id: String,
    delay: Duration,
    messages: Messages,
}

impl Worker {
    async fn handle(self: Arc<Self>, delivery: Arc<Delivery<Task>>) -> Result<(), Failed> {
        let Task { id, request, until_ms } = &delivery.message;
        if now_ms() > *until_ms {
            info!("task {id} is not done: nobody waits for it any more");
            return Ok(());
        }
        if !self.delay.is_zero() {
            sleep(self.delay).await;
        }
        let done =
            TaskDone { id: id.clone(), by: self.id.clone(), attempt: delivery.attempt, outcome: outcome(request) };
        DONE.publish(&self.messages, Envelope::new(format!("done-{id}"), &done)?).await?;
        Ok(())
    }
}

/// What comes of a task; the same whenever and wherever it is done.
fn outcome(request: &RawValue) -> Outcome {
    let done = Request::read(request.get().as_bytes()).map_err(|bad| bad.to_string()).and_then(Request::run);
    done.map_or_else(Outcome::Reason, Outcome::Result)
}
