//! The one thread that writes: whatever waits for it becomes one transaction, and one write to the disk.
//!
//! While the disk is busy with a transaction, the next one gathers. Nobody waits for company.

mod batch;

use std::path::PathBuf;
use std::sync::Arc;
use std::thread;

use mainstay::contracts::Envelope;
use mainstay::contracts::hub::{Published, Rules, Settlement};
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;
use tracing::{debug, error};

use self::batch::Batch;
use super::core::{Change, Core};
use super::limits::Limits;
use super::shared::Shared;
use super::store::Store;
use crate::Error;
use crate::engine::Place;

/// Commands waiting for the thread. Who comes then waits for room.
const QUEUE: usize = 256;
/// Bytes of messages in one transaction. The next ones are in the next one.
const BATCH_BYTES: usize = 8 * 1024 * 1024;

/// What the writer is asked for.
#[derive(Debug)]
pub(super) enum Command {
    Declare {
        place: Place,
        rules: Rules,
        now: Instant,
        done: oneshot::Sender<Result<(), Error>>,
    },
    Publish(Publish),
    Settle(Settle),
    /// What has become of messages because their time was over.
    Expired {
        changes: Vec<Change>,
    },
    Read(Read),
    /// Does the disk take what is written?
    Check {
        done: oneshot::Sender<Result<(), Error>>,
    },
}

/// What is read, between transactions.
#[derive(Debug)]
pub(super) enum Read {
    /// More of a channel's messages.
    More { place: Place, done: oneshot::Sender<Result<(), Error>> },
    /// These messages; none where they are gone.
    These { topic: String, messages: Vec<i64>, done: oneshot::Sender<Result<Vec<Option<Arc<Envelope>>>, Error>> },
}

#[derive(Debug)]
pub(super) struct Publish {
    pub(super) messages: Vec<Arc<Envelope>>,
    pub(super) done: oneshot::Sender<Result<Vec<Published>, Error>>,
}

#[derive(Debug)]
pub(super) struct Settle {
    pub(super) place: Place,
    pub(super) settlements: Vec<Settlement>,
    pub(super) now: Instant,
    pub(super) done: oneshot::Sender<Result<Vec<bool>, Error>>,
}

/// Starts the thread; returns when it has opened what is in the directory. It ends when nobody can send to it any more.
pub(super) async fn start(dir: PathBuf, limits: Limits) -> Result<(Arc<Shared>, mpsc::Sender<Command>), Error> {
    let (commands, queue) = mpsc::channel(QUEUE);
    let (opened, opening) = oneshot::channel();
    let now = Instant::now();
    let run = move || match open(dir, limits, now) {
        Ok((shared, store)) => {
            // Whoever asked has left: so has the last sender, and the thread ends.
            let _ = opened.send(Ok(Arc::clone(&shared)));
            Writer { shared, store }.run(queue);
        }
        Err(error) => drop(opened.send(Err(error))),
    };
    thread::Builder::new()
        .name("messages".to_owned())
        .spawn(run)
        .map_err(|error| Error::unavailable("the writing thread cannot be started").because(error))?;
    let shared = opening.await.map_err(|_| Error::unavailable("the writing thread has ended"))??;
    Ok((shared, commands))
}

#[expect(clippy::needless_pass_by_value, reason = "the thread owns it")]
fn open(dir: PathBuf, limits: Limits, now: Instant) -> Result<(Arc<Shared>, Store), Error> {
    let mut store = Store::open(&dir, &limits)?;
    let (run, saved) = store.resume()?;
    let mut core = Core::new(limits, run);
    saved.into_iter().for_each(|topic| core.resume(topic, now));
    Ok((Arc::new(Shared::new(core)), store))
}

struct Writer {
    shared: Arc<Shared>,
    store: Store,
}

impl Writer {
    fn run(mut self, mut queue: mpsc::Receiver<Command>) {
        let mut tidying = false;
        loop {
            let mut next = queue.try_recv().ok();
            // There is time to tidy when nobody waits.
            while next.is_none() && tidying {
                tidying = self.tidy();
                next = queue.try_recv().ok();
            }
            if next.is_none() {
                next = queue.blocking_recv();
            }
            if next.is_none() {
                return;
            }
            let (mut batch, mut reads) = (Batch::default(), Vec::new());
            while let Some(command) = next {
                match command {
                    Command::Declare { place, rules, now, done } => drop(done.send(self.declare(&place, rules, now))),
                    Command::Publish(publish) => batch.publish(publish),
                    Command::Settle(settle) => batch.settle(settle),
                    Command::Expired { changes } => batch.expired(changes),
                    Command::Read(read) => reads.push(read),
                    Command::Check { done } => drop(done.send(self.check())),
                }
                next = if batch.bytes() < BATCH_BYTES { queue.try_recv().ok() } else { None };
            }
            batch.write(&self.shared, &mut self.store);
            reads.into_iter().for_each(|read| self.read(read));
            tidying = true;
        }
    }

    fn declare(&mut self, place: &Place, rules: Rules, now: Instant) -> Result<(), Error> {
        let Some(declared) = self.shared.with(|core| core.declare(place, rules, now))? else { return Ok(()) };
        self.store.commit(|store| store.declare(place, declared)).map_err(|error| unwritten(&error))?;
        self.shared.with(|core| core.declared(place, declared, now));
        Ok(())
    }

    fn check(&mut self) -> Result<(), Error> {
        self.store.commit(|store| store.touch()).map_err(|error| unwritten(&error))
    }

    fn read(&self, read: Read) {
        match read {
            Read::More { place, done } => drop(done.send(self.refill(&place))),
            Read::These { topic, messages, done } => {
                let read: Result<_, _> = messages.iter().map(|&seq| self.store.one(&topic, seq)).collect();
                drop(done.send(read.map_err(|error| unread(&error))));
            }
        }
    }

    fn refill(&self, place: &Place) -> Result<(), Error> {
        let Some((number, mark, from)) = self.shared.with(|core| core.scanned(place)) else { return Ok(()) };
        let (read, result) = match self.store.scan(&place.topic, number, mark, from) {
            Ok(read) => (Some(read), Ok(())),
            Err(error) => (None, Err(unread(&error))),
        };
        self.shared.with(|core| core.refill(place, read));
        result
    }

    /// Gives space back. Is there more?
    fn tidy(&self) -> bool {
        self.store.tidy().unwrap_or_else(|error| {
            // Space that is not given back is used again.
            debug!(target: "mainstay::messaging", "space on disk is not given back: {error}");
            false
        })
    }
}

/// Nothing of it was written.
fn unwritten(error: &rusqlite::Error) -> Error {
    error!(target: "mainstay::messaging", "nothing can be written: {error}");
    Error::unavailable(format!("it cannot be written to the disk: {error}"))
}

fn unread(error: &rusqlite::Error) -> Error {
    error!(target: "mainstay::messaging", "messages cannot be read: {error}");
    Error::unavailable(format!("it cannot be read from the disk: {error}"))
}
