//! Asking by messages: a request that any consumer may answer, and a reply that finds whoever asked.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use mainstay::contracts::hub::{BATCH_LIMIT, Rules};
use mainstay::contracts::{Envelope, Message};
use parking_lot::Mutex;
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep, timeout_at};
use tokio_util::task::AbortOnDropHandle;
use tracing::{debug, warn};

use crate::{Consumer, Error, Messages};

/// How long until a channel for replies that is gone is made again.
const AGAIN: Duration = Duration::from_millis(250);
/// Replies are of no use to anybody else, and so are kept nowhere: a lost one is a request without a reply.
const RULES: Rules = Rules { visibility_ms: 30_000, tries: 1, backoff_ms: 0, kept: false };

type Waiting<R> = Arc<Mutex<HashMap<String, oneshot::Sender<R>>>>;

/// Asks by messages, and gets replies of type `R` on a channel of its own.
///
/// Whoever consumes a request replies with [`Messages::reply`]. Clones share the channel.
pub struct Asker<R> {
    messages: Messages,
    channel: Arc<str>,
    waiting: Waiting<R>,
    _reader: Arc<AbortOnDropHandle<()>>,
}

impl<R: Message> Asker<R> {
    pub(crate) async fn start(messages: Messages) -> Result<Self, Error> {
        let channel: Arc<str> = format!("replies-{}", Messages::new_id()).into();
        messages.declare::<R>(&channel, RULES).await?;
        let waiting = Waiting::default();
        let reader = read(messages.clone(), messages.consume(&channel)?, Arc::clone(&channel), Arc::clone(&waiting));
        let _reader = Arc::new(AbortOnDropHandle::new(tokio::spawn(reader)));
        Ok(Self { messages, channel, waiting, _reader })
    }

    /// Publishes a request, and waits for the first reply to it, until the deadline.
    ///
    /// # Errors
    /// When the request could not be published, or no reply has come.
    ///
    /// Cancel safe: dropped, the request may be published or not, and its reply goes nowhere.
    pub async fn ask<M: Message>(&self, request: &M, deadline: Instant) -> Result<R, Error> {
        let (asked_at, id) = (Instant::now(), Messages::new_id());
        let envelope = Envelope::new(&*id, request).map_err(Error::bad)?.correlated(&*id).reply_to(&*self.channel);
        let (answer, answered) = oneshot::channel();
        self.waiting.lock().insert(id.clone(), answer);
        let _leaves = Leaves { id, waiting: &self.waiting };
        let asked = async {
            self.messages.publish(envelope).await?;
            // Its other end stands in the map for as long as this waits.
            answered.await.map_err(|_| Error::unavailable("it has ended"))
        };
        timeout_at(deadline, asked).await.unwrap_or_else(|_| Err(Error::unanswered(asked_at.elapsed())))
    }
}

/// Reads replies until its asker is gone.
async fn read<R: Message>(messages: Messages, mut consumer: Consumer<R>, channel: Arc<str>, waiting: Waiting<R>) {
    loop {
        match consumer.next_of(BATCH_LIMIT).await {
            Ok(reply) => {
                let asked = reply.correlation.as_ref().and_then(|correlation| waiting.lock().remove(correlation));
                match asked {
                    // Whoever asked may have left.
                    Some(asked) => drop(asked.send(reply.message)),
                    None => debug!(target: "mainstay::messaging", "{} is the reply to nobody's request", reply.id),
                }
            }
            Err(error) => {
                // Whatever keeps the channel has started anew.
                debug!(target: "mainstay::messaging", "replies do not come: {error}");
                if let Err(error) = messages.declare::<R>(&channel, RULES).await {
                    warn!(target: "mainstay::messaging", "replies cannot come: {error}");
                }
                sleep(AGAIN).await;
            }
        }
    }
}

/// However a request ends, nobody waits for its reply any more.
struct Leaves<'a, R> {
    id: String,
    waiting: &'a Waiting<R>,
}

impl<R> Drop for Leaves<'_, R> {
    fn drop(&mut self) {
        self.waiting.lock().remove(&self.id);
    }
}

impl<R> Clone for Asker<R> {
    fn clone(&self) -> Self {
        let Self { messages, channel, waiting, _reader } = self;
        Self {
            messages: messages.clone(),
            channel: Arc::clone(channel),
            waiting: Arc::clone(waiting),
            _reader: Arc::clone(_reader),
        }
    }
}

impl<R> fmt::Debug for Asker<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Asker").field("channel", &self.channel).finish_non_exhaustive()
    }
}
