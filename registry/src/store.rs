//! What outlives the process: who is listed, and who was until lately, in a SQLite database with one writer.
//!
//! A batch is one transaction, and is on disk when it is over: what many ask for at once shares an `fsync`. SQLite, as
//! messages and records are kept in it too: it goes on after a full disk without being opened again, and reads around a
//! damaged page. It does not see that a row is damaged, so that each carries a checksum; nor that the log is damaged in
//! its middle, where it takes what is before for all there is, so that the log is looked at before.

mod file;
mod kv;
mod log;
mod row;
mod salvage;
#[cfg(test)]
mod tests;

use std::io;
use std::path::Path;
use std::sync::{Arc, mpsc};

use rusqlite::{Connection, params};
use tokio::sync::oneshot;

pub(crate) use self::file::{Damage, Opened};
use self::row::signed;
use crate::keeper::Changes;

type Asked = (Arc<Changes>, u64, oneshot::Sender<rusqlite::Result<()>>);

/// The thread that writes. It ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Store {
    batches: mpsc::Sender<Asked>,
    ended: oneshot::Receiver<()>,
}

impl Store {
    /// Opens the database in a directory, or makes both, and says what is in it.
    ///
    /// # Errors
    /// When it cannot be read or written at all, is in use, or is another program's. What is damaged is no error: it is
    /// put aside, and what is sound of it is taken over.
    pub(crate) async fn open(dir: &Path, now: u64) -> io::Result<(Self, Opened)> {
        let dir = dir.to_owned();
        let opened = tokio::task::spawn_blocking(move || file::open(&dir, now)).await;
        let (db, opened) = opened.map_err(io::Error::other)??;
        let ((batches, asked), (end, ended)) = (mpsc::channel(), oneshot::channel());
        let writing = move || {
            write(db, &asked);
            // Nobody may be waiting.
            let _ = end.send(());
        };
        std::thread::Builder::new().name("registry-store".to_owned()).spawn(writing)?;
        Ok((Self { batches, ended }, opened))
    }

    /// Waits until the file is closed.
    pub(crate) async fn close(self) {
        drop(self.batches);
        // An error says that the thread has ended.
        let _ = self.ended.await;
    }

    /// Writes a batch, up to a revision; when that is over, it is on disk. After an error nothing of it is, and it may be
    /// tried again.
    pub(crate) async fn commit(&self, changes: &Arc<Changes>, revision: u64) -> Result<(), String> {
        let (done, wait) = oneshot::channel();
        // Without the thread, there is nobody to answer either.
        let _ = self.batches.send((Arc::clone(changes), revision, done));
        match wait.await {
            Ok(written) => written.map_err(|error| describe(&error)),
            Err(_) => Err("the thread that writes has ended".to_owned()),
        }
    }
}

fn write(mut db: Connection, asked: &mpsc::Receiver<Asked>) {
    while let Ok((changes, revision, done)) = asked.recv() {
        // Whoever asked may have gone.
        let _ = done.send(commit(&mut db, &changes, revision));
    }
}

fn commit(db: &mut Connection, Changes { roster: batch, kv: keys }: &Changes, revision: u64) -> rusqlite::Result<()> {
    let transaction = db.transaction()?;
    {
        let mut put = transaction.prepare_cached(PUT)?;
        batch.changes.iter().try_for_each(|change| row::put(&mut put, change))?;
        let mut forget = transaction.prepare_cached(FORGET)?;
        for grave in &batch.forgotten {
            forget.execute(params![&*grave.service, grave.id.as_str(), signed(grave.revision)])?;
        }
        let floor = batch.forgotten.last().map_or(0, |grave| signed(grave.revision));
        let mut life = transaction.prepare_cached("UPDATE life SET revision = ?1, floor = max(floor, ?2)")?;
        life.execute([signed(revision), floor])?;
    }
    kv::write(&transaction, keys)?;
    transaction.commit()
}

const PUT: &str = "INSERT OR REPLACE INTO instance (service, id, revision, lease, json, gone, health, sum) \
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
const FORGET: &str = "DELETE FROM instance WHERE service = ?1 AND id = ?2 AND revision = ?3 AND gone IS NOT NULL";

fn describe(error: &rusqlite::Error) -> String {
    match error.sqlite_error_code() {
        Some(rusqlite::ErrorCode::DiskFull) => "the disk is full".to_owned(),
        _ => error.to_string(),
    }
}
