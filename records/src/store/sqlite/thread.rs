//! A thread with a connection, and what is done on it: everything that waits, in one transaction.

use std::thread;

use futures_util::FutureExt as _;
use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;
use tracing::warn;

use super::{PATIENCE, failed};
use crate::Error;
use crate::store::Answer;

/// The most that is done in one transaction. Those who come then wait where they are.
const AT_ONCE: usize = 512;

/// Ends when it is dropped and everything is done.
pub(super) struct Thread {
    jobs: mpsc::Sender<Job>,
}

/// Does something in the transaction under way, and gives back what tells its caller when that has ended.
type Job = Box<dyn FnOnce(&Connection) -> Tell + Send>;
type Tell = Box<dyn FnOnce(Result<(), Error>) + Send>;

impl Thread {
    /// Every transaction begins with this statement.
    pub(super) fn start(name: &str, connection: Connection, begin: &'static str) -> Result<Self, Error> {
        let (jobs, waiting) = mpsc::channel(AT_ONCE);
        let thread = thread::Builder::new().name(name.to_owned()).spawn(move || work(&connection, begin, waiting));
        thread.map_err(|error| Error::unavailable("no thread can be started").because(error))?;
        Ok(Self { jobs })
    }

    /// Does something with the connection: all of it or nothing. It is done when this returns.
    pub(super) fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, Error> + Send + 'static,
    ) -> Answer<'_, T> {
        let (done, result) = oneshot::channel();
        let job: Job = Box::new(move |connection| {
            let worked = in_part(connection, work);
            // Its caller may have left.
            Box::new(move |committed| drop(done.send(committed.and(worked))))
        });
        let ended = || Error::unavailable("the database was closed");
        let answer = async move {
            self.jobs.send(job).await.map_err(|_| ended())?;
            result.await.unwrap_or_else(|_| Err(ended()))
        };
        let late = || Err(Error::unavailable("the database has not answered within 5 s; it may have been written"));
        timeout(PATIENCE, answer).map(move |answer| answer.unwrap_or_else(|_| late())).boxed()
    }
}

fn work(connection: &Connection, begin: &str, mut waiting: mpsc::Receiver<Job>) {
    let mut jobs = Vec::with_capacity(AT_ONCE);
    while waiting.blocking_recv_many(&mut jobs, AT_ONCE) > 0 {
        let (told, ended) = together(connection, begin, &mut jobs);
        if let Err(error) = &ended {
            warn!(target: "mainstay::records", "{} calls could not be served: {error}", told.len());
        }
        told.into_iter().for_each(|tell| tell(ended.clone()));
    }
}

/// Does all of the jobs in one transaction, and says how that ended.
fn together(connection: &Connection, begin: &str, jobs: &mut Vec<Job>) -> (Vec<Tell>, Result<(), Error>) {
    let begun = connection.execute_batch(begin).map_err(failed);
    let told = jobs.drain(..).map(|job| job(connection)).collect();
    let ended = begun.and_then(|()| match connection.is_autocommit() {
        // SQLite gives up a transaction by itself when the disk is full.
        true => Err(Error::full("the disk is full")),
        false => connection.execute_batch("COMMIT").map_err(failed),
    });
    if ended.is_err()
        && !connection.is_autocommit()
        && let Err(error) = connection.execute_batch("ROLLBACK")
    {
        warn!(target: "mainstay::records", "a transaction could not be taken back: {error}");
    }
    (told, ended)
}

/// Does something that is undone by itself if it fails, and leaves the rest of the transaction as it is.
fn in_part<T>(connection: &Connection, work: impl FnOnce(&Connection) -> Result<T, Error>) -> Result<T, Error> {
    let statement = |sql: &str| connection.prepare_cached(sql).and_then(|mut it| it.execute([])).map_err(failed);
    if connection.is_autocommit() {
        return Err(Error::unavailable("there is no transaction any more"));
    }
    statement("SAVEPOINT part")?;
    let worked = work(connection);
    if !connection.is_autocommit() {
        if worked.is_err() {
            statement("ROLLBACK TO part")?;
        }
        statement("RELEASE part")?;
    }
    worked
}
