//! Who was there last, on disk: so that a process can start while every registry is away.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use mainstay_contracts::registry::{Listing, Presence};
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;
use tokio::task::spawn_blocking;
use tokio::time::{sleep, timeout};
use tracing::warn;

use crate::client::Core;

/// What the file looks like; it grows when that changes.
const FORMAT: u32 = 1;
/// The largest file that is written or read: as long as the longest line of a watch.
const LONGEST: u64 = 32 * 1024 * 1024;
/// How long after one time it is written the next time, at least.
const PAUSE: Duration = Duration::from_secs(1);
/// How often it is written if nothing has changed but its age.
const RENEW: Duration = Duration::from_secs(60);

/// A file in which one service's instances are kept.
#[derive(Debug)]
pub(crate) struct Memory {
    service: &'static str,
    file: PathBuf,
    /// Written to, and renamed: two processes may have the same directory.
    draft: PathBuf,
    revision: AtomicU64,
    changed: Notify,
}

#[derive(Serialize, Deserialize)]
struct Remembered {
    format: u32,
    /// When the registry was heard last, in milliseconds since 1970.
    heard_ms: u64,
    #[serde(flatten)]
    listing: Listing,
}

impl Memory {
    pub(crate) fn new(directory: &Path, service: &'static str) -> Self {
        let file = directory.join(format!("{service}.json"));
        let draft = directory.join(format!(".{service}.{:016x}", fastrand::u64(..)));
        Self { service, file, draft, revision: AtomicU64::new(0), changed: Notify::new() }
    }

    /// Who was there last, and how long ago that was. All of them may be called, and nobody has heard of them since.
    ///
    /// Blocks for as long as it takes to read a file.
    pub(crate) fn recall(&self) -> Option<(Listing, Duration)> {
        let Remembered { mut listing, heard_ms, .. } = match self.read() {
            Ok(remembered) => remembered?,
            Err(error) => {
                let (service, file) = (self.service, self.file.display());
                warn!(target: "mainstay::discover", "what is remembered of {service} in {file} is ignored: {error}");
                return None;
            }
        };
        listing.instances.retain(|listed| listed.presence != Presence::Gone);
        for listed in &mut listing.instances {
            if listed.presence != Presence::Draining {
                listed.presence = Presence::Silent;
            }
        }
        Some((listing, Duration::from_millis(since_1970().saturating_sub(heard_ms))))
    }

    fn read(&self) -> io::Result<Option<Remembered>> {
        let damaged = |why: String| io::Error::new(ErrorKind::InvalidData, why);
        let file = match File::open(&self.file) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            file => file?,
        };
        let mut json = Vec::new();
        if file.take(LONGEST + 1).read_to_end(&mut json)? as u64 > LONGEST {
            return Err(damaged(format!("it has more than {LONGEST} bytes")));
        }
        let remembered: Remembered = serde_json::from_slice(&json)?;
        if remembered.format != FORMAT {
            return Err(damaged(format!("it has format {}, and not {FORMAT}", remembered.format)));
        }
        if remembered.listing.service != self.service {
            return Err(damaged(format!("it is of {}", remembered.listing.service)));
        }
        Ok(Some(remembered))
    }

    /// Not synced to the disk: what a crash of the machine leaves of it is either read or ignored.
    fn write(&self, remembered: &Remembered) -> io::Result<()> {
        let json = serde_json::to_vec(remembered)?;
        if json.len() as u64 > LONGEST {
            return Err(io::Error::new(ErrorKind::FileTooLarge, format!("it would have more than {LONGEST} bytes")));
        }
        if let Some(directory) = self.file.parent() {
            fs::create_dir_all(directory)?;
        }
        let written = fs::write(&self.draft, json).and_then(|()| fs::rename(&self.draft, &self.file));
        if written.is_err() {
            // It may not even be there.
            let _ = fs::remove_file(&self.draft);
        }
        written
    }

    /// The registry has told something, up to this revision.
    pub(super) fn told(&self, revision: u64) {
        self.revision.store(revision, Ordering::Relaxed);
        self.changed.notify_one();
    }
}

fn since_1970() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// Writes down who is there, until the client is dropped: off the calls' way, in a thread for what blocks.
pub(crate) async fn keep_memory(core: Arc<Core>, memory: Arc<Memory>) {
    let mut complained = false;
    // Before the registry has said anything, nothing is known that is not remembered.
    memory.changed.notified().await;
    loop {
        let heard_ms = since_1970().saturating_sub(core.registry_age().as_millis() as u64);
        let listing = core.roster.listing(memory.service, memory.revision.load(Ordering::Relaxed));
        let (writer, remembered) = (Arc::clone(&memory), Remembered { format: FORMAT, heard_ms, listing });
        match spawn_blocking(move || writer.write(&remembered)).await {
            Ok(Ok(())) => complained = false,
            Ok(Err(error)) => {
                if !std::mem::replace(&mut complained, true) {
                    let (service, file) = (memory.service, memory.file.display());
                    warn!(target: "mainstay::discover", "{service} cannot be remembered in {file}: {error}");
                }
            }
            // The runtime is shutting down.
            Err(_) => return,
        }
        sleep(PAUSE).await;
        let _ = timeout(RENEW, memory.changed.notified()).await;
    }
}
