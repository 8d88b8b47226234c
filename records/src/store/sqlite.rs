//! Records in a file on this machine.
//!
//! One thread writes: it takes whatever waits into one transaction, so that a hundred callers wait for one write to the
//! disk. Another thread reads, from a connection of its own, and waits for no writer (WAL).

mod migrate;
mod outbox;
mod read;
mod thread;
mod write;

use std::fmt;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use rusqlite::Connection;
use tokio::time::timeout;
use uuid::Uuid;

use self::thread::Thread;
use super::{Answer, NewReply, Publish, Relayed, Store, Which};
use crate::record::{Record, Replied, Step};
use crate::{Begun, Ending, Error, New};

/// How long a call may take, and so how long one process waits for another that writes to the same file.
const PATIENCE: Duration = Duration::from_secs(5);

pub(crate) struct Sqlite {
    path: PathBuf,
    writer: Thread,
    reader: Thread,
}

impl Sqlite {
    pub(crate) async fn open(path: &str) -> Result<Self, Error> {
        if path.is_empty() || path.contains(['?', '\0']) || path.contains(":memory:") {
            return Err(Error::bad(format!("records are kept in a file, sqlite:PATH, not in {path:?}")));
        }
        let path = PathBuf::from(path);
        let opening = tokio::task::spawn_blocking({
            let path = path.clone();
            move || {
                if let Some(directory) = path.parent() {
                    let made = std::fs::create_dir_all(directory);
                    made.map_err(|error| {
                        Error::unavailable(format!("{} cannot be made", directory.display())).because(error)
                    })?;
                }
                let mut writer = connect(&path)?;
                migrate::migrate(&mut writer)?;
                // Who reads first and then writes is refused, rather than waits, if another process has written meanwhile.
                let writer = Thread::start("records-write", writer, "BEGIN IMMEDIATE")?;
                Ok((writer, Thread::start("records-read", connect(&path)?, "BEGIN")?))
            }
        });
        let late = |_| Error::unavailable("the database was not opened within 5 s");
        let opened = timeout(PATIENCE, opening).await.map_err(late)?;
        let (writer, reader) = opened.map_err(|_| Error::unavailable("the runtime is ending"))??;
        Ok(Self { path, writer, reader })
    }
}

fn connect(path: &std::path::Path) -> Result<Connection, Error> {
    let connected = || {
        let connection = Connection::open(path)?;
        connection.busy_timeout(PATIENCE)?;
        // What is acknowledged is on disk; what the log has grown to in a rush is given back.
        connection.execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;
             PRAGMA journal_size_limit = 4194304;",
        )?;
        connection.set_prepared_statement_cache_capacity(64);
        Ok(connection)
    };
    connected().map_err(failed)
}

/// What SQLite says, in this crate's words.
fn failed(error: rusqlite::Error) -> Error {
    use rusqlite::ErrorCode;
    let why = match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => Error::full("the disk is full"),
        Some(ErrorCode::NotADatabase) => Error::foreign("the file is no SQLite database"),
        Some(ErrorCode::DatabaseCorrupt) => Error::foreign("the database is damaged"),
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            Error::unavailable("another process holds the database")
        }
        Some(ErrorCode::CannotOpen) => Error::unavailable("the database cannot be opened"),
        Some(ErrorCode::ReadOnly) => Error::unavailable("the database may not be written"),
        _ => Error::unavailable("the database has failed"),
    };
    why.because(error)
}

impl Store for Sqlite {
    fn begin(&self, id: Uuid, new: New) -> Answer<'_, Begun> {
        self.writer.run(move |connection| write::begin(connection, id, &new))
    }

    fn reply(&self, id: Uuid, reply: NewReply) -> Answer<'_, Replied> {
        self.writer.run(move |connection| write::reply(connection, id, &reply))
    }

    fn step(&self, id: Uuid, step: Step) -> Answer<'_, bool> {
        self.writer.run(move |connection| write::step(connection, id, step))
    }

    fn finish(&self, id: Uuid, ending: Ending) -> Answer<'_, bool> {
        self.writer.run(move |connection| write::finish(connection, id, ending))
    }

    fn get(&self, id: Uuid) -> Answer<'_, Option<Record>> {
        self.reader.run(move |connection| read::get(connection, id))
    }

    fn list(&self, kind: String, which: Which, most: u32) -> Answer<'_, Vec<Record>> {
        self.reader.run(move |connection| read::list(connection, &kind, &which, most))
    }

    fn prune(&self, kind: String, received_before: SystemTime, most_kept: u64) -> Answer<'_, u64> {
        self.writer.run(move |connection| write::prune(connection, &kind, received_before, most_kept))
    }

    fn relay(&self, after: i64, publish: Publish) -> Answer<'_, Relayed> {
        Box::pin(async move {
            let page = self.reader.run(move |connection| outbox::page(connection, after)).await?;
            let numbers: Vec<i64> = page.messages.iter().map(|message| message.number).collect();
            let Some(&last) = numbers.last() else {
                return Ok(Relayed { last: after, left: page.left, ..Relayed::default() });
            };
            let may_go = publish(page.messages).await;
            let refused = may_go.iter().filter(|may_go| !**may_go).count();
            let gone: Vec<i64> =
                numbers.into_iter().zip(may_go).filter_map(|(number, may_go)| may_go.then_some(number)).collect();
            let left = page.left.saturating_sub(u32::try_from(gone.len()).unwrap_or(u32::MAX));
            if !gone.is_empty() {
                self.writer.run(move |connection| outbox::remove(connection, &gone)).await?;
            }
            Ok(Relayed { last, refused, more: page.more, left })
        })
    }
}

impl fmt::Debug for Sqlite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sqlite").field("path", &self.path).finish_non_exhaustive()
    }
}
