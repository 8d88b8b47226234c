//! The file that messages are kept in: made once, opened by one engine at a time.

use std::fs::{self, File};
use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::limits::Limits;
use crate::Error;

const NAME: &str = "messages.db";
/// "Main", so that nobody takes another program's database for this one.
const APPLICATION: i64 = 0x4d61_696e;
pub(super) const VERSION: i64 = 1;
pub(super) const PAGE: u64 = 4096;
/// Pages in memory: what is published now is mostly consumed before it has to be read.
const CACHE: i64 = 4096;
/// How long an engine that is just ending may take to let go of the file.
const PATIENCE: Duration = Duration::from_secs(1);
/// Bytes beyond the limit for publishers, so that what is there can be consumed.
const RESERVE: u64 = 16 * 1024 * 1024;

/// Opens the file in a directory, or makes both.
pub(super) fn open(dir: &Path, limits: &Limits) -> Result<Connection, Error> {
    let path = dir.join(NAME);
    fs::create_dir_all(dir).map_err(|error| cannot(dir, "be made").because(error))?;
    if !path.try_exists().map_err(|error| cannot(&path, "be read").because(error))? {
        make(dir, &path)?;
    }
    // An empty file would be an empty database.
    if path.metadata().is_ok_and(|file| file.len() == 0) {
        return Err(damaged(&path, "it is empty"));
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let db = Connection::open_with_flags(&path, flags).map_err(|error| failed(&path, error))?;
    prepare(&db, limits).map_err(|error| failed(&path, error))?;
    check(&db, &path)?;
    Ok(db)
}

/// Under another name first, so that a file of the right one is never half made; and not over one that somebody else
/// has made meanwhile.
fn make(dir: &Path, path: &Path) -> Result<(), Error> {
    let new = dir.join(format!("{NAME}.{}", std::process::id()));
    let made = || -> rusqlite::Result<()> {
        let db = Connection::open(&new)?;
        db.pragma_update(None, "auto_vacuum", "incremental")?;
        db.pragma_update(None, "application_id", APPLICATION)?;
        db.pragma_update(None, "user_version", VERSION)?;
        db.execute_batch(include_str!("schema.sql"))?;
        db.close().map_err(|(_, error)| error)
    };
    let made = made().map_err(|error| failed(&new, error)).and_then(|()| match fs::hard_link(&new, path) {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => Err(cannot(path, "be made").because(error)),
        _ => Ok(()),
    });
    // Left over, it is in nobody's way.
    let _ = fs::remove_file(&new);
    let synced = File::open(dir).and_then(|dir| dir.sync_all());
    made.and(synced.map_err(|error| cannot(dir, "be written").because(error)))
}

fn prepare(db: &Connection, limits: &Limits) -> rusqlite::Result<()> {
    db.busy_timeout(PATIENCE)?;
    db.set_prepared_statement_cache_capacity(64);
    // Nobody else opens it; the lock goes with the process, however that ends.
    db.pragma_update(None, "locking_mode", "exclusive")?;
    db.pragma_update(None, "journal_mode", "wal")?;
    // A commit is over when it is on disk.
    db.pragma_update(None, "synchronous", "full")?;
    db.pragma_update(None, "journal_size_limit", RESERVE as i64)?;
    db.pragma_update(None, "temp_store", "memory")?;
    db.pragma_update(None, "cache_size", CACHE)?;
    let pages = limits.disk.saturating_add(RESERVE) / PAGE;
    db.pragma_update(None, "max_page_count", i64::try_from(pages).unwrap_or(i64::MAX))
}

fn check(db: &Connection, path: &Path) -> Result<(), Error> {
    let number = |name: &str| db.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    let application = number("application_id").map_err(|error| failed(path, error))?;
    let version = number("user_version").map_err(|error| failed(path, error))?;
    match (application, version) {
        (APPLICATION, VERSION) => {}
        (APPLICATION, newer) => {
            return Err(Error::bad(format!("{} is of version {newer}, and this knows {VERSION}", path.display())));
        }
        _ => return Err(Error::bad(format!("{} is another program's database", path.display()))),
    }
    let found: String =
        db.query_row("PRAGMA quick_check(1)", (), |row| row.get(0)).map_err(|error| failed(path, error))?;
    if found == "ok" { Ok(()) } else { Err(damaged(path, &found)) }
}

fn failed(path: &Path, error: rusqlite::Error) -> Error {
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            Error::unavailable(format!("{} is in use: is a hub running on it already?", path.display())).because(error)
        }
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => damaged(path, "it cannot be read").because(error),
        _ => cannot(path, "be opened").because(error),
    }
}

fn damaged(path: &Path, how: &str) -> Error {
    let rest = "it is left as it is: put back a copy, or move it away to begin with nothing";
    Error::bad(format!("{} is damaged, {how}; {rest}", path.display()))
}

fn cannot(path: &Path, what: &str) -> Error {
    Error::unavailable(format!("{} cannot {what}", path.display()))
}
