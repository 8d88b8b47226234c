//! One delivery of a message, and how it is settled.

use std::error::Error as StdError;
use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use mainstay::contracts::hub::{Delivered, Settlement, Verdict};
use mainstay::contracts::{Envelope, Message};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;
use tracing::warn;

use crate::Error;
use crate::batch::{Batcher, Thing};
use crate::engine::Place;

/// How long a settlement may take, with all that is tried again.
const PATIENCE: Duration = Duration::from_secs(5);
/// While a handler runs, its delivery is extended this often in its time: one that is late may be caught up with.
const EXTENSIONS: u32 = 3;

/// A message that was received. Unless it is settled, it is delivered again when its time is over; one of a channel
/// that is not [kept](crate::Rules::kept) never is.
pub struct Delivery<M> {
    /// The message.
    pub message: M,
    /// Under what it was published: the same in every delivery.
    pub id: String,
    /// Of which request it is the reply.
    pub correlation: Option<String>,
    /// The channel that a reply is to be sent to.
    pub reply_to: Option<String>,
    /// Which delivery of it this is, counted from 1.
    pub attempt: u32,
    receipt: String,
    invisible: Duration,
    received: Instant,
    settler: Batcher<Settlement, bool>,
}

impl Thing for Settlement {
    fn bytes(&self) -> usize {
        self.receipt.len() + 64
    }
}

/// Why a handler could not consume a message: told in the log, and the message is delivered again.
pub type Failed = Box<dyn StdError + Send + Sync>;

impl<M: Message> Delivery<M> {
    /// `None`, and rejected, when it cannot be read.
    pub(super) fn read(
        delivered: Delivered,
        received: Instant,
        place: &Place,
        settler: &Batcher<Settlement, bool>,
    ) -> Option<Self> {
        let Delivered { receipt, attempt, invisible_ms, envelope } = delivered;
        let settler = settler.clone();
        match envelope.open() {
            Ok(message) => {
                let Envelope { id, correlation, reply_to, .. } = envelope;
                let invisible = Duration::from_millis(invisible_ms);
                Some(Self { message, id, correlation, reply_to, attempt, receipt, invisible, received, settler })
            }
            Err(error) => {
                warn!(target: "mainstay::messaging", "{} on {place} cannot be read, and is rejected: {error}", envelope.id);
                tokio::spawn(async move {
                    let settlement = Settlement { receipt, verdict: Verdict::Reject };
                    // If this does not get through, it comes again and is rejected again.
                    let _ = settler.submit(settlement, Instant::now() + PATIENCE).await;
                });
                None
            }
        }
    }

    /// It is done: the channel forgets it. Returns when that is as safe as the engine says.
    ///
    /// # Errors
    /// When the delivery had run out, or the engine has not answered within 5 s.
    ///
    /// Cancel safe: dropped, it may be done or not.
    pub async fn ack(&self) -> Result<(), Error> {
        self.settle(Verdict::Ack).await
    }

    /// It could not be done: it is delivered again, after the channel's back-off.
    ///
    /// # Errors
    /// As [`ack`](Self::ack).
    pub async fn nack(&self) -> Result<(), Error> {
        self.settle(Verdict::Nack).await
    }

    /// It never can be done: it goes to the channel's dead letters.
    ///
    /// # Errors
    /// As [`ack`](Self::ack).
    pub async fn reject(&self) -> Result<(), Error> {
        self.settle(Verdict::Reject).await
    }

    /// It takes longer: it stays invisible for another visibility timeout from now.
    ///
    /// # Errors
    /// As [`ack`](Self::ack).
    pub async fn extend(&self) -> Result<(), Error> {
        self.settle(Verdict::Extend).await
    }

    async fn settle(&self, verdict: Verdict) -> Result<(), Error> {
        let settlement = Settlement { receipt: self.receipt.clone(), verdict };
        match self.settler.submit(settlement, Instant::now() + PATIENCE).await? {
            true => Ok(()),
            false => Err(Error::expired()),
        }
    }

    /// Runs a handler, and settles this by what it returns.
    pub(super) async fn settled_by(self: Arc<Self>, handled: impl Future<Output = Result<(), Failed>>) {
        let done = CancellationToken::new();
        let handled = async {
            let result = handled.await;
            done.cancel();
            result
        };
        // The handler goes on while an extension is under way, which may take its time if the engine is away.
        let (result, ()) = tokio::join!(handled, self.extend_until(&done));
        let settled = match result {
            Ok(()) => self.ack().await,
            Err(error) => {
                warn!(target: "mainstay::messaging", "{} was not consumed, attempt {}: {error}", self.id, self.attempt);
                self.nack().await
            }
        };
        if let Err(error) = settled {
            warn!(target: "mainstay::messaging", "{} is delivered again: {error}", self.id);
        }
    }

    /// Extends it, in time, until its handler is done. An extension under way then comes to its end: one that came after
    /// the settlement would take back a message that was given back.
    async fn extend_until(&self, done: &CancellationToken) {
        let mut at = self.received + self.invisible / EXTENSIONS;
        while done.run_until_cancelled(sleep_until(at)).await.is_some() {
            at = Instant::now() + self.invisible / EXTENSIONS;
            if let Err(error) = self.extend().await {
                warn!(target: "mainstay::messaging", "{} goes on, and others may have it too: {error}", self.id);
            }
        }
    }
}

impl<M> fmt::Debug for Delivery<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Delivery").field("id", &self.id).field("attempt", &self.attempt).finish_non_exhaustive()
    }
}
