//! Thousands of watchers, each with a connection of its own, that come back where they were when theirs breaks.

mod watcher;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::{Notify, Semaphore};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};

use crate::Failed;

/// How many ask for their first list at once: it is not the first that is measured.
const OPENING: usize = 32;
/// How long all of them may take to have their first list.
const PATIENCE: Duration = Duration::from_secs(120);

/// What all watchers have seen.
#[derive(Debug)]
struct Seen {
    opening: Semaphore,
    opened: Notify,
    told: Notify,
    changes: Mutex<HashMap<u64, Told>>,
    /// The revision of each, or 0 while its connection is broken.
    revisions: Vec<AtomicU64>,
    resumed: AtomicU32,
    anew: AtomicU32,
    refused: Mutex<Option<String>>,
}

/// A change that some have been told.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Told {
    pub(crate) watchers: u32,
    pub(crate) first: Instant,
    pub(crate) last: Instant,
    /// What it took on the wire, for all of them.
    pub(crate) bytes: u64,
}

#[derive(Debug)]
pub(crate) struct Crowd {
    seen: Arc<Seen>,
    _watchers: JoinSet<()>,
}

impl Crowd {
    /// Resolves when each has its first list. They take the services in turn.
    pub(crate) async fn gather(address: SocketAddr, services: &[String], watchers: u32) -> Result<Self, Failed> {
        let seen = Arc::new(Seen {
            opening: Semaphore::new(OPENING),
            opened: Notify::new(),
            told: Notify::new(),
            changes: Mutex::default(),
            revisions: (0..watchers).map(|_| AtomicU64::new(0)).collect(),
            resumed: AtomicU32::new(0),
            anew: AtomicU32::new(0),
            refused: Mutex::default(),
        });
        let mut tasks = JoinSet::new();
        for (place, service) in (0..watchers).zip(services.iter().cycle()) {
            tasks.spawn(watcher::watch(address, service.clone(), place, Arc::clone(&seen)));
        }
        let crowd = Self { seen, _watchers: tasks };
        let all = async {
            while crowd.fresh(&[1]) < watchers {
                crowd.seen.opened.notified().await;
            }
        };
        if timeout(PATIENCE, all).await.is_err() {
            return Err(format!("{} of {watchers} watchers have a list{}", crowd.fresh(&[1]), crowd.refused()).into());
        }
        Ok(crowd)
    }

    /// Why a connection of somebody broke, if one did.
    pub(crate) fn refused(&self) -> String {
        self.seen
            .refused
            .lock()
            .as_ref()
            .map_or_else(String::new, |why| format!("; the last to lose its connection: {why}"))
    }

    pub(crate) fn len(&self) -> u32 {
        self.seen.revisions.len() as u32
    }

    /// Waits until everybody has been told the change that made this revision.
    pub(crate) async fn told(&self, revision: u64, patience: Duration) -> Result<Told, Failed> {
        let all = async {
            loop {
                let told = self.seen.changes.lock().get(&revision).copied();
                match told.filter(|told| told.watchers >= self.len()) {
                    Some(told) => return told,
                    None => self.seen.told.notified().await,
                }
            }
        };
        timeout(patience, all).await.map_err(|_| {
            let told = self.seen.changes.lock().get(&revision).map_or(0, |told| told.watchers);
            format!("{told} of {} watchers were told a change within {patience:?}{}", self.len(), self.refused()).into()
        })
    }

    /// How many are connected, and have the revision of their service or a later one.
    pub(crate) fn fresh(&self, revisions: &[u64]) -> u32 {
        let seen = self.seen.revisions.iter().zip(revisions.iter().cycle());
        seen.filter(|(seen, revision)| seen.load(Ordering::Relaxed) >= **revision).count() as u32
    }

    /// How many have come back and were told where they resume, and how many were told the whole list.
    pub(crate) fn came_back(&self) -> (u32, u32) {
        (self.seen.resumed.load(Ordering::Relaxed), self.seen.anew.load(Ordering::Relaxed))
    }
}
