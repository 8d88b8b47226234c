//! Discovery by a registry's watch: pushed, never polled.
//!
//! The registry may die: whoever is known stays known, and the watch is tried again for ever. It goes on where it ended,
//! and what it has led to is compared with the registry's own list at every bookmark.

use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use mainstay_contracts::registry::{Fingerprint, WatchFrame};
use tokio::time::{Instant, sleep, sleep_until};
use tracing::warn;

use super::Connection;
use super::cursor::{Cursor, Doubt, Remedy};
use crate::client::Core;
use crate::frames::{AnyError, Complaints, Frames, LONGEST_CLOSING, Refused, is_denied};
use crate::registries::Registries;
use crate::transport::Outgoing;

/// How often the roster is looked at when nothing in it is due.
const IDLE_TICK: Duration = Duration::from_secs(60);
const SHORTEST_TICK: Duration = Duration::from_millis(1);

/// Watches until the client is dropped.
pub(crate) async fn watch(core: Arc<Core>, connection: Arc<Connection>, registries: Registries) {
    let mut watch = Watch {
        core,
        registries,
        connection,
        cursor: None,
        doubt: Doubt::default(),
        complaints: Complaints::default(),
    };
    let mut tried = false;
    loop {
        let (why, closing) = match watch.follow().await {
            Ok(Ended::Differs) => continue,
            Ok(Ended::Closing(pause)) => (format!("it stops, for {:.1} s at least", pause.as_secs_f64()), Some(pause)),
            Ok(Ended::Stream) => ("the stream ended".to_owned(), None),
            Err(error) => {
                watch.refused(&error);
                (error.to_string(), None)
            }
        };
        let lost = watch.registries.address().clone();
        let pause = watch.registries.next();
        let Watch { core, connection, .. } = &watch;
        if connection.lose(watch.registries.address()) || !tried {
            core.registry_lost(&lost, &why);
        }
        tried = true;
        if let Some(pause) = closing.max(pause) {
            core.discovered();
            sleep(pause).await;
        }
    }
}

/// Why a stream of the registry's is not read any more.
enum Ended {
    /// It did by itself.
    Stream,
    /// The registry stops, and says when to come back.
    Closing(Duration),
    /// What was understood is not what the registry means.
    Differs,
}

struct Watch {
    core: Arc<Core>,
    registries: Registries,
    connection: Arc<Connection>,
    /// What has been seen, over all streams.
    cursor: Option<Cursor>,
    doubt: Doubt,
    complaints: Complaints,
}

impl Watch {
    /// One stream, from where the one before has ended.
    async fn follow(&mut self) -> Result<Ended, AnyError> {
        let request = Outgoing::get(&Cursor::target(self.cursor.as_ref(), self.core.service))?;
        let mut frames = Frames::<WatchFrame>::open(self.registries.connections(), &request).await?;
        loop {
            let Some(frame) = frames.next().await? else { return Ok(Ended::Stream) };
            let now = Instant::now();
            if self.connection.hear(now) {
                self.complaints = Complaints::default();
                self.core.registry_back(self.registries.address());
            }
            let is_news = !matches!(frame, WatchFrame::Bookmark { .. } | WatchFrame::Unknown);
            if let Some(ended) = self.take(frame, now)? {
                return Ok(ended);
            }
            if let (true, Some(memory), Some(cursor)) = (is_news, &self.core.memory, &self.cursor) {
                memory.told(cursor.revision());
            }
            self.core.discovered();
        }
    }

    fn take(&mut self, frame: WatchFrame, now: Instant) -> Result<Option<Ended>, AnyError> {
        match frame {
            WatchFrame::Snapshot(listing) => {
                self.cursor = Some(Cursor::of(&listing));
                self.core.note(|roster| roster.note_listing(listing, now));
            }
            WatchFrame::Resumed { epoch, revision } => {
                if !self.cursor.as_ref().is_some_and(|cursor| cursor.is_at(epoch, revision)) {
                    self.cursor = None;
                    return Err("it resumes where nobody asked".into());
                }
            }
            WatchFrame::Changed { revision, listed } => {
                self.cursor.iter_mut().for_each(|cursor| cursor.changed(revision, &listed));
                self.core.note(|roster| roster.note([listed], now));
            }
            WatchFrame::Gone { revision, id, why } => {
                self.cursor.iter_mut().for_each(|cursor| cursor.gone(revision, &id));
                self.core.note(|roster| roster.note_gone(&id, why, now));
            }
            WatchFrame::Bookmark { revision, fingerprint } => {
                self.registries.works();
                return Ok(self.verify(revision, fingerprint, now));
            }
            WatchFrame::Closing { return_in_ms } => {
                return Ok(Some(Ended::Closing(Duration::from_millis(return_in_ms).min(LONGEST_CLOSING))));
            }
            WatchFrame::Unknown => {}
        }
        Ok(None)
    }

    fn verify(&mut self, revision: u64, fingerprint: Fingerprint, now: Instant) -> Option<Ended> {
        if self.cursor.as_mut()?.agrees(revision, fingerprint) {
            self.doubt.agreed();
            return None;
        }
        let remedy = self.doubt.differs(now);
        if remedy == Remedy::None {
            return None;
        }
        if remedy == Remedy::First {
            let (service, address) = (self.core.service, self.registries.address());
            warn!(target: "mainstay::discover", "the list of {service} is not the one at {address}, at revision {revision}: looking anew");
        }
        self.cursor = None;
        Some(Ended::Differs)
    }

    /// It may not know cursors, or not whoever asks: the one passes by itself.
    fn refused(&mut self, error: &AnyError) {
        if error.downcast_ref::<Refused>().is_some_and(|refused| refused.is(StatusCode::BAD_REQUEST)) {
            self.cursor = None;
        }
        if is_denied(error) && self.complaints.is_new(error) {
            let (service, address) = (self.core.service, self.registries.address());
            warn!(target: "mainstay::discover", "{address} does not say who is there of {service}: {error}; trying on");
        }
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
