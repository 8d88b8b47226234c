//! The database: made once, opened by one registry at a time, and put aside when it is damaged.

use std::fmt;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use mainstay_contracts::registry::GoneReason;
use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::row::{Found, signed};
use super::{log, salvage};
use crate::roster::{Grave, Kept};

const NAME: &str = "registry.db";
/// "MsRg", so that nobody takes another program's database for this one.
const APPLICATION: i64 = 0x4d73_5267;
const VERSION: i64 = 1;
/// The ending of a database that is whole, and is to take the place of a damaged one.
const SALVAGED: &str = ".salvaged";
/// How long a registry that is just ending may take to let go of the file.
const PATIENCE: Duration = Duration::from_secs(1);

/// What was found.
#[derive(Debug, Default)]
pub(crate) struct Opened {
    pub(crate) epoch: u64,
    pub(crate) revision: u64,
    /// Who was gone up to this revision may be forgotten.
    pub(crate) floor: u64,
    pub(crate) listed: Vec<Kept>,
    pub(crate) gone: Vec<(Grave, GoneReason)>,
    pub(crate) kv: crate::kv::Kept,
    pub(crate) damage: Option<Damage>,
}

impl Opened {
    /// The highest revision that anything has.
    pub(crate) fn highest(&self) -> u64 {
        let listed = self.listed.iter().map(|kept| kept.revision);
        let gone = self.gone.iter().map(|(grave, _)| grave.revision);
        listed.chain(gone).fold(self.kv.highest, u64::max)
    }
}

/// What was wrong with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Damage {
    /// In words.
    pub(crate) what: String,
    /// Where the damaged file is now.
    pub(crate) kept_at: PathBuf,
    /// How many instances were sound.
    pub(crate) sound: usize,
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { what, kept_at, sound } = self;
        write!(f, "what was kept is damaged: {what}; {sound} instances were sound and are taken over; ")?;
        write!(f, "the damaged file is {}", kept_at.display())
    }
}

/// Opens the database in a directory, or makes both; `now` is the epoch of one that is new.
pub(super) fn open(dir: &Path, now: u64) -> io::Result<(Connection, Opened)> {
    let path = dir.join(NAME);
    fs::create_dir_all(dir).map_err(|error| told(&dir.display(), "cannot be made", &error))?;
    let salvaged = with_ending(&path, SALVAGED);
    let broke_off = salvaged.try_exists()?;
    if broke_off {
        put_in_place(dir, &path, &salvaged)?;
    } else if !path.try_exists()? {
        make(dir, &path, now)?;
    }
    // Before SQLite does, which would take the sound part of a damaged log for all of it.
    let log = log::look(&dir.join(format!("{NAME}-wal")))?;
    let (found, db) = match connect(&path) {
        Ok(db) => (salvage::read(&db), Some(db)),
        Err(Refusal::Damaged(what)) => (salvage::Read::unreadable(what), None),
        Err(Refusal::Other(error)) => return Err(error),
    };
    let what = log.damage.or(found.damage);
    let mut opened = Opened {
        epoch: found.epoch,
        revision: found.revision,
        floor: found.floor,
        kv: found.kv.kept,
        ..Opened::default()
    };
    for found in found.rows {
        match found {
            Found::Listed(kept) => opened.listed.push(kept),
            Found::Gone(grave, why) => opened.gone.push((grave, why)),
        }
    }
    opened.gone.sort_by_key(|(grave, _)| grave.revision);
    match (what, db) {
        (None, Some(db)) => {
            if broke_off {
                let what = "the start before this one broke off while it put a damaged file aside".to_owned();
                let (kept_at, sound) = (dir.join("registry.damaged-*.db"), opened.listed.len());
                opened.damage = Some(Damage { what, kept_at, sound });
            }
            Ok((db, opened))
        }
        (what, db) => {
            drop(db);
            let what = what.unwrap_or_else(|| "it cannot be read".to_owned());
            begin_again(dir, &path, now, what, opened)
        }
    }
}

/// Puts a damaged database aside, and writes what is sound of it into a new one: another life, as nobody can tell what
/// its cursors have missed.
fn begin_again(
    dir: &Path,
    path: &Path,
    now: u64,
    what: String,
    mut opened: Opened,
) -> io::Result<(Connection, Opened)> {
    let kept_at = dir.join(format!("registry.damaged-{now}.db"));
    // Its log belongs to it, and goes by its name. Until the new one is whole, both have their old names as well.
    for ending in ["-wal", ""] {
        let (from, to) = (with_ending(path, ending), with_ending(&kept_at, ending));
        if from.try_exists()? {
            fs::hard_link(&from, &to).map_err(|error| told(&from.display(), "cannot be put aside", &error))?;
        }
    }
    opened.revision = opened.revision.max(opened.highest());
    opened.epoch = now;
    opened.floor = opened.revision;
    // Who is gone was gone in another life.
    opened.gone.clear();
    opened.kv.graves.clear();
    (opened.kv.sessions_at, opened.kv.forgotten) = (opened.revision, opened.revision);
    let (half, salvaged) = (with_ending(path, ".salvaging"), with_ending(path, SALVAGED));
    write_whole(&half, &opened).map_err(|error| failed(&half, error).into_io())?;
    fs::rename(&half, &salvaged).map_err(|error| told(&salvaged.display(), "cannot be made", &error))?;
    put_in_place(dir, path, &salvaged)?;
    opened.damage = Some(Damage { what, kept_at, sound: opened.listed.len() });
    Ok((connect(path).map_err(Refusal::into_io)?, opened))
}

/// A database of its own, without a log beside it.
fn write_whole(path: &Path, opened: &Opened) -> rusqlite::Result<()> {
    // Left over from a start that broke off, it is half made.
    let _ = fs::remove_file(path);
    let mut db = Connection::open(path)?;
    prepare(&db, opened.epoch)?;
    salvage::write(&mut db, opened)?;
    db.close().map_err(|(_, error)| error)
}

/// Puts what was salvaged where the damaged database was. Should that break off, the next start goes on with it: a log
/// that is gone before its database would be a loss that nobody sees.
fn put_in_place(dir: &Path, path: &Path, salvaged: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()?;
    for ending in ["-wal", "-shm"] {
        match fs::remove_file(with_ending(path, ending)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    fs::rename(salvaged, path).map_err(|error| told(&path.display(), "cannot be replaced", &error))?;
    File::open(dir)?.sync_all()
}

fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

/// Under another name first, so that a file of the right one is never half made.
fn make(dir: &Path, path: &Path, epoch: u64) -> io::Result<()> {
    let new = dir.join(format!("{NAME}.{}", std::process::id()));
    // One of a process that had the same number, and was killed.
    let _ = fs::remove_file(&new);
    let made = || -> rusqlite::Result<()> {
        let db = Connection::open(&new)?;
        prepare(&db, epoch)?;
        db.close().map_err(|(_, error)| error)
    };
    made().map_err(|error| failed(&new, error).into_io())?;
    // Not over one that somebody else has made meanwhile.
    let linked = fs::hard_link(&new, path);
    let _ = fs::remove_file(&new);
    match linked {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
            return Err(told(&path.display(), "cannot be made", &error));
        }
        _ => {}
    }
    File::open(dir)?.sync_all()
}

/// The tables, and what tells the file from others.
fn prepare(db: &Connection, epoch: u64) -> rusqlite::Result<()> {
    db.pragma_update(None, "application_id", APPLICATION)?;
    db.pragma_update(None, "user_version", VERSION)?;
    db.execute_batch(include_str!("schema.sql"))?;
    db.execute_batch(include_str!("kv.sql"))?;
    db.execute("INSERT INTO life (epoch, revision, floor) VALUES (?1, 0, 0)", [signed(epoch)])?;
    Ok(())
}

/// Why a database is not opened.
enum Refusal {
    Damaged(String),
    Other(io::Error),
}

impl Refusal {
    fn into_io(self) -> io::Error {
        match self {
            Self::Damaged(what) => io::Error::other(what),
            Self::Other(error) => error,
        }
    }
}

fn connect(path: &Path) -> Result<Connection, Refusal> {
    // An empty file would be an empty database.
    if path.metadata().is_ok_and(|file| file.len() == 0) {
        return Err(Refusal::Damaged("it is empty".to_owned()));
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let open = || {
        let db = Connection::open_with_flags(path, flags)?;
        db.busy_timeout(PATIENCE)?;
        // Nobody else opens it; the lock goes with the process, however that ends.
        db.pragma_update(None, "locking_mode", "exclusive")?;
        let number = |name: &str| db.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
        let kind = (number("application_id")?, number("user_version")?);
        if kind == (APPLICATION, VERSION) {
            db.set_prepared_statement_cache_capacity(16);
            db.pragma_update(None, "journal_mode", "wal")?;
            // A commit is over when it is on disk.
            db.pragma_update(None, "synchronous", "full")?;
        }
        Ok((db, kind))
    };
    match open().map_err(|error| failed(path, error))? {
        (db, (APPLICATION, VERSION)) => Ok(db),
        (_, (APPLICATION, newer)) => {
            let reason = format!("{} is of version {newer}, and this registry knows {VERSION}", path.display());
            Err(Refusal::Other(io::Error::new(io::ErrorKind::Unsupported, reason)))
        }
        _ => {
            let reason = format!("{} is another program's database", path.display());
            Err(Refusal::Other(io::Error::new(io::ErrorKind::InvalidInput, reason)))
        }
    }
}

fn failed(path: &Path, error: rusqlite::Error) -> Refusal {
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            let reason = format!("{} is in use: is a registry running on it already?", path.display());
            Refusal::Other(io::Error::new(io::ErrorKind::ResourceBusy, reason))
        }
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Refusal::Damaged(error.to_string()),
        _ => Refusal::Other(told(&path.display(), "cannot be opened", &io::Error::other(error))),
    }
}

fn told(what: &impl fmt::Display, how: &str, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{what} {how}: {error}"))
}
