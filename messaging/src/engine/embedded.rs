//! Messages in this process, on its disk.
//!
//! SQLite keeps them, and one thread writes: what waits for it is one transaction, and one wait for the disk. **An
//! acknowledged publish is on disk**: the transaction's `fsync` has returned (write-ahead log, `synchronous=FULL`), and
//! so it survives the end of the process and of the machine's power, if the disk keeps what it has confirmed. So does
//! an acknowledged settlement.
//!
//! Why SQLite: of the stores that were tried, it alone goes on by itself after the disk was full (redb and fjall have to
//! be opened again), it drops a half-written tail without a word, gives space back, and writes as many messages as
//! there are. A log of our own would be as fast, and would have to learn all of that.
//!
//! | Part | Holds |
//! |---|---|
//! | `core`, `topic`, `channel` | what is ready, out, waiting: a pure function of time |
//! | `writer` | the thread, and what it writes together |
//! | `store`, `ids`, `file` | what is on disk |
//! | `shared` | where those meet |
//! | `limits` | how much of everything there may be |
//!
//! In memory is only the beginning of what is ready, what is out, and what goes to channels that are not kept. Whatever
//! was out when the process ended stays invisible for its visibility timeout, counted from the next start, and can be
//! settled meanwhile by whoever has it.

mod channel;
mod core;
mod file;
mod ids;
mod limits;
mod receipt;
mod recent;
mod shared;
mod store;
#[cfg(test)]
mod tests;
mod topic;
mod writer;

use std::path::PathBuf;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use mainstay::contracts::Envelope;
use mainstay::contracts::hub::{Delivered, Published, Rules, Settlement, TopicView};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep_until};
use tokio_util::task::AbortOnDropHandle;

use self::core::Handed;
pub use self::limits::Limits;
use self::receipt::Receipt;
use self::shared::Shared;
use self::writer::{Command, Publish, Read, Settle};
use super::{Engine, Place};
use crate::Error;

/// How long somebody else's reading is waited for, at least.
const READING: Duration = Duration::from_secs(1);

/// Messages in this process, on its disk.
#[derive(Debug)]
pub(crate) struct Embedded {
    shared: Arc<Shared>,
    writer: mpsc::Sender<Command>,
    _keeper: AbortOnDropHandle<()>,
}

impl Embedded {
    /// Opens what is in a directory, or makes it.
    pub(crate) async fn open(dir: PathBuf, limits: Limits) -> Result<Self, Error> {
        let (shared, writer) = writer::start(dir, limits).await?;
        let keeper = {
            let (shared, writer) = (Arc::clone(&shared), writer.clone());
            async move { shared.keep(writer).await }
        };
        Ok(Self { shared, writer, _keeper: AbortOnDropHandle::new(tokio::spawn(keeper)) })
    }

    /// What there is, topic by topic.
    pub(crate) fn topics(&self) -> Vec<TopicView> {
        self.shared.with(|core| core.view())
    }

    /// Writes something that changes nothing: does the disk take it?
    pub(crate) async fn check(&self) -> Result<(), Error> {
        self.ask(|done| Command::Check { done }).await
    }

    /// Asks the writer, and waits for its answer.
    async fn ask<T>(&self, command: impl FnOnce(oneshot::Sender<Result<T, Error>>) -> Command) -> Result<T, Error> {
        let ended = || Error::unavailable("the writing thread has ended");
        let (done, answer) = oneshot::channel();
        self.writer.send(command(done)).await.map_err(|_| ended())?;
        answer.await.map_err(|_| ended())?
    }

    /// Messages that could not be read are out nevertheless, and come back when their time is over.
    async fn delivered(&self, place: &Place, handed: Handed) -> Result<Vec<Delivered>, Error> {
        let Handed { mut taken, channel, run, visibility_ms, .. } = handed;
        let unread: Vec<_> = taken.iter().filter(|taken| taken.message.is_none()).map(|taken| taken.seq).collect();
        if !unread.is_empty() {
            let topic = place.topic.clone();
            let read = self.ask(|done| Command::Read(Read::These { topic, messages: unread, done })).await?;
            let missing = taken.iter_mut().filter(|taken| taken.message.is_none());
            missing.zip(read).for_each(|(taken, message)| taken.message = message);
        }
        let delivered = taken.into_iter().filter_map(|taken| {
            let receipt = Receipt { channel, run, seq: taken.seq, delivery: taken.delivery }.to_string();
            let envelope = Arc::unwrap_or_clone(taken.message?);
            Some(Delivered { receipt, attempt: taken.attempt, invisible_ms: visibility_ms, envelope })
        });
        Ok(delivered.collect())
    }
}

impl Engine for Embedded {
    fn declare(&self, place: Place, rules: Rules) -> BoxFuture<'_, Result<(), Error>> {
        let now = Instant::now();
        async move {
            match self.shared.with(|core| core.declare(&place, rules, now))? {
                None => Ok(()),
                Some(_) => self.ask(|done| Command::Declare { place, rules, now, done }).await,
            }
        }
        .boxed()
    }

    fn publish(&self, messages: Vec<Envelope>) -> BoxFuture<'_, Result<Vec<Published>, Error>> {
        async move {
            let mut written = Vec::new();
            let mut published: Vec<_> = self.shared.with(|core| {
                let publish = |message: Envelope| match message.check() {
                    Err(bad) => Some(Published::Bad(bad.to_string())),
                    Ok(()) => match core.publish_unkept(Arc::new(message)) {
                        Ok(published) => Some(published),
                        Err(message) => {
                            written.push(message);
                            None
                        }
                    },
                };
                messages.into_iter().map(publish).collect()
            });
            if !written.is_empty() {
                let answers = self.ask(|done| Command::Publish(Publish { messages: written, done })).await?;
                let open = published.iter_mut().filter(|published| published.is_none());
                open.zip(answers).for_each(|(published, answer)| *published = Some(answer));
            }
            Ok(published.into_iter().flatten().collect())
        }
        .boxed()
    }

    fn receive(
        self: Arc<Self>,
        place: Place,
        most: usize,
        wait: Duration,
    ) -> BoxFuture<'static, Result<Vec<Delivered>, Error>> {
        async move {
            let until = Instant::now() + wait;
            loop {
                let handed = self.shared.with(|core| core.take(&place, most, Instant::now()))?;
                let mut arrived = pin!(handed.arrived.clone().notified_owned());
                if handed.wants {
                    // Nobody else reads it, so that it goes on should whoever waits for it leave.
                    let (engine, place) = (Arc::clone(&self), place.clone());
                    let read = async move { engine.ask(|done| Command::Read(Read::More { place, done })).await };
                    let read = tokio::spawn(read);
                    if handed.taken.is_empty() {
                        read.await.map_err(|_| Error::unavailable("the runtime is ending"))??;
                        continue;
                    }
                }
                if !handed.taken.is_empty() {
                    return self.delivered(&place, handed).await;
                }
                // What somebody else reads is here already, as far as whoever asks can tell.
                let until = if handed.loading { until.max(Instant::now() + READING) } else { until };
                tokio::select! {
                    () = &mut arrived => {}
                    () = sleep_until(until) => return Ok(Vec::new()),
                }
            }
        }
        .boxed()
    }

    fn settle(&self, place: Place, settlements: Vec<Settlement>) -> BoxFuture<'_, Result<Vec<bool>, Error>> {
        let now = Instant::now();
        async move {
            if self.shared.with(|core| core.is_kept(&place))? {
                return self.ask(|done| Command::Settle(Settle { place, settlements, now, done })).await;
            }
            self.shared.with(|core| {
                let settle = |settlement| core.settle(&place, settlement, now).map(|(counts, _)| counts);
                settlements.iter().map(settle).collect()
            })
        }
        .boxed()
    }
}
