//! The roster as the server's tasks share it: one lock, with everybody who has to be told behind it.

mod hold;
#[cfg(test)]
mod tests;
mod watch;

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;
use mainstay_contracts::registry::{
    Beat, Beaten, Deregister, Deregistered, Register, Registered, ServiceNames, WatchFrame,
};
use parking_lot::Mutex;
use tokio::sync::{Notify, Semaphore, broadcast, oneshot};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::Config;
use crate::line::line;
use crate::roster::{Event, Refused, Roster, Row, Snapshot};

/// How many changes a watcher may lag behind before it gets a snapshot instead: what bounds the memory that
/// a slow one can take.
const LAG: usize = 256;

/// One change of a service as its watchers get it: written once, shared by all of them.
#[derive(Debug, Clone)]
struct Told {
    revision: u64,
    line: Bytes,
}

/// Who is there, for any task to ask and tell.
#[derive(Debug)]
pub(crate) struct Directory {
    config: Config,
    inner: Mutex<Inner>,
    /// Says that something is due earlier than the expiry task believes.
    earlier: Notify,
    watchers: Arc<Semaphore>,
    stop: CancellationToken,
}

#[derive(Debug)]
struct Inner {
    roster: Roster,
    channels: HashMap<String, Channel>,
    holds: HashMap<u64, oneshot::Sender<u64>>,
}

#[derive(Debug)]
struct Channel {
    sender: broadcast::Sender<Told>,
    watchers: usize,
}

impl Directory {
    /// An empty directory, whose streams end when `stop` is cancelled.
    pub(crate) fn new(config: Config, epoch: u64, stop: CancellationToken) -> Arc<Self> {
        let roster = Roster::new(config.clone(), epoch, Instant::now());
        let inner = Mutex::new(Inner { roster, channels: HashMap::new(), holds: HashMap::new() });
        let watchers = Arc::new(Semaphore::new(config.limits.watchers));
        Arc::new(Self { config, inner, earlier: Notify::new(), watchers, stop })
    }

    pub(crate) fn config(&self) -> &Config {
        &self.config
    }

    pub(crate) fn epoch(&self) -> u64 {
        self.inner.lock().roster.epoch()
    }

    pub(crate) fn register(&self, call: Register) -> Result<Registered, Refused> {
        self.change(|inner, now| inner.roster.register(call, now))
    }

    pub(crate) fn beat(&self, call: &Beat) -> Result<Beaten, Refused> {
        self.change(|inner, now| inner.roster.beat(call, now))
    }

    pub(crate) fn deregister(&self, call: &Deregister) -> Result<Deregistered, Refused> {
        self.change(|inner, _| inner.roster.deregister(call))
    }

    pub(crate) fn list(&self, service: &str) -> Arc<Snapshot> {
        self.inner.lock().roster.list(service)
    }

    pub(crate) fn services(&self) -> ServiceNames {
        self.inner.lock().roster.services()
    }

    pub(crate) fn rows(&self, service: &str, most: usize) -> Vec<Row> {
        self.inner.lock().roster.rows(service, most, Instant::now())
    }

    /// Makes silent and gone what is so, as soon as it is. Never ends.
    pub(crate) async fn expire(&self) {
        loop {
            let due = self.inner.lock().roster.next_due();
            tokio::select! {
                () = sleep_until(due) => self.change(|inner, now| inner.roster.expire(now)),
                () = self.earlier.notified() => {}
            }
        }
    }

    /// Changes the roster and tells everybody under the same lock, so that what is told is in order.
    fn change<T>(&self, change: impl FnOnce(&mut Inner, Instant) -> T) -> T {
        let mut inner = self.inner.lock();
        let due = inner.roster.next_due();
        let result = change(&mut inner, Instant::now());
        inner.tell();
        let next = inner.roster.next_due();
        if next.is_some() && (due.is_none() || next < due) {
            self.earlier.notify_one();
        }
        result
    }
}

impl Inner {
    fn tell(&mut self) {
        for event in self.roster.take_events() {
            match event {
                Event::Told { service, revision, frame } => {
                    if let Some(channel) = self.channels.get(&service) {
                        // An error says that no watcher is left, which its leaving takes care of.
                        let _ = channel.sender.send(Told { revision, line: line(&frame) });
                    } else if matches!(frame, WatchFrame::Gone { .. }) {
                        self.roster.forget(&service);
                    }
                }
                Event::HoldEnded { hold, superseded_by } => {
                    let ended = self.holds.remove(&hold);
                    if let (Some(ended), Some(incarnation)) = (ended, superseded_by) {
                        // An error says that the stream is over already.
                        let _ = ended.send(incarnation);
                    }
                }
            }
        }
    }
}

async fn sleep_until(due: Option<Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due).await,
        None => std::future::pending().await,
    }
}
