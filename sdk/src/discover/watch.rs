//! Discovery by a registry's watch: pushed, never polled.
//!
//! The registry may die: whoever is known stays known, and the watch is tried again for ever.

use std::sync::Arc;
use std::time::Duration;

use mainstay_contracts::Address;
use mainstay_contracts::registry::{self, WatchFrame};
use parking_lot::Mutex;
use tokio::time::{Instant, sleep, sleep_until};

use crate::backoff::Backoff;
use crate::client::Core;
use crate::frames::{AnyError, Frames};
use crate::transport::{Connections, Outgoing};

/// How often the roster is looked at when nothing in it is due.
const IDLE_TICK: Duration = Duration::from_secs(60);
const SHORTEST_TICK: Duration = Duration::from_millis(1);

/// How things stand between a client and its registry.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) address: Address,
    heard: Mutex<Heard>,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Heard {
    pub(crate) reachable: bool,
    /// When it spoke last; when watching began, if it never has.
    pub(crate) at: Instant,
}

impl Connection {
    pub(crate) fn new(address: Address, now: Instant) -> Self {
        Self { address, heard: Mutex::new(Heard { reachable: false, at: now }) }
    }

    pub(crate) fn heard(&self) -> Heard {
        *self.heard.lock()
    }

    /// Returns whether it was unreachable before.
    fn hear(&self, now: Instant) -> bool {
        !std::mem::replace(&mut *self.heard.lock(), Heard { reachable: true, at: now }).reachable
    }

    /// Returns whether it was reachable before.
    fn lose(&self) -> bool {
        std::mem::replace(&mut self.heard.lock().reachable, false)
    }
}

/// Watches until the client is dropped.
pub(crate) async fn watch(core: Arc<Core>, connection: Arc<Connection>) {
    let registry = Connections::new(&connection.address, &core.roster.network);
    let mut backoff = Backoff::new();
    let mut tried = false;
    loop {
        let ended = follow(&core, &registry, &connection, &mut backoff).await;
        let why = ended.err().map_or_else(|| "the stream ended".to_owned(), |error| error.to_string());
        if connection.lose() || !tried {
            core.registry_lost(&connection.address, &why);
        }
        tried = true;
        core.discovered();
        sleep(backoff.next()).await;
    }
}

async fn follow(
    core: &Arc<Core>,
    registry: &Connections,
    connection: &Connection,
    backoff: &mut Backoff,
) -> Result<(), AnyError> {
    let request = Outgoing::get(&registry::WATCH.replace("{service}", core.service))?;
    let mut frames = Frames::<WatchFrame>::open(registry, &request).await?;
    loop {
        let Some(frame) = frames.next().await? else { return Ok(()) };
        let now = Instant::now();
        backoff.reset();
        if connection.hear(now) {
            core.registry_back(&connection.address);
        }
        match frame {
            WatchFrame::Snapshot(listing) => core.note(|roster| roster.note_listing(listing, now)),
            WatchFrame::Changed { listed, .. } => core.note(|roster| roster.note([listed], now)),
            WatchFrame::Gone { id, why, .. } => core.note(|roster| roster.note_gone(&id, why, now)),
            WatchFrame::Resumed { .. }
            | WatchFrame::Bookmark { .. }
            | WatchFrame::Closing { .. }
            | WatchFrame::Unknown => {}
        }
        core.discovered();
    }
}

/// Lets the roster's own time go on until the client is dropped: who is missed turns silent and then gone, who
/// is gone for long is forgotten.
pub(crate) async fn keep_time(core: Arc<Core>) {
    loop {
        let now = Instant::now();
        let mut next = None;
        core.note(|roster| {
            let (noted, due) = roster.tick(now);
            next = due;
            noted
        });
        let idle = now + IDLE_TICK;
        tokio::select! {
            () = sleep_until(next.map_or(idle, |next| next.clamp(now + SHORTEST_TICK, idle))) => {}
            () = core.roster.noted.notified() => {}
        }
    }
}
