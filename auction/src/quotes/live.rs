//! Quotes as they arrive, as server-sent events.

use std::collections::{HashSet, VecDeque};
use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse as _, Response};
use futures_util::StreamExt as _;
use futures_util::stream::{self, Stream};
use mainstay::contracts::quotes::RfqState;
use mainstay_records::{Change, Changes, Error, Record};
use serde::Serialize;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, timeout_at};

use super::desk::Desk;
use super::kept::{quoted, state, view};

/// How often a request is looked at though nothing is heard of it: another process may collect as well.
const LOOK: Duration = Duration::from_secs(1);

/// One stream, and what it has told.
struct Watcher {
    desk: Arc<Desk>,
    id: String,
    changes: Changes,
    /// Who has been told: two that came at once may change places in the record.
    told: HashSet<String>,
    events: VecDeque<Event>,
    over: bool,
    _place: OwnedSemaphorePermit,
}

/// The quotes of a request that is known to be there; nothing when there are too many streams.
pub(super) fn stream(desk: &Arc<Desk>, id: String) -> Option<Response> {
    let _place = Arc::clone(&desk.streams).try_acquire_owned().ok()?;
    let ended = desk.ending.clone().cancelled_owned();
    let (desk, changes) = (Arc::clone(desk), desk.records.changes());
    let watcher = Watcher { desk, id, changes, told: HashSet::new(), events: VecDeque::new(), over: false, _place };
    let events = watcher.events().take_until(ended);
    Some(Sse::new(events).keep_alive(KeepAlive::default()).into_response())
}

impl Watcher {
    fn events(self) -> impl Stream<Item = Result<Event, Infallible>> {
        stream::unfold(self, async |mut watcher| {
            loop {
                if let Some(event) = watcher.events.pop_front() {
                    return Some((Ok(event), watcher));
                }
                if watcher.over {
                    return None;
                }
                // Whoever reads comes back when the stream breaks off, and is told all of it.
                let record = watcher.desk.records.get(&watcher.id).await.ok()??;
                watcher.look(&record).ok()?;
                if watcher.events.is_empty() {
                    watcher.changed().await;
                }
            }
        })
    }

    fn look(&mut self, record: &Record) -> Result<(), Error> {
        for quoted in quoted(record)? {
            if !self.told.contains(&quoted.responder) {
                self.events.push_back(event("quote", &quoted));
                self.told.insert(quoted.responder);
            }
        }
        if state(record) != RfqState::Open {
            self.over = true;
            self.events.push_back(event("over", &view(record, SystemTime::now())?));
        }
        Ok(())
    }

    async fn changed(&mut self) {
        let limit = Instant::now() + LOOK;
        // Where some were missed, this may be one of them.
        while let Ok(Some(Change::Of(id))) = timeout_at(limit, self.changes.next()).await {
            if *id == *self.id {
                return;
            }
        }
    }
}

fn event(name: &str, data: &impl Serialize) -> Event {
    // What is told are texts and numbers, which JSON has.
    Event::default().event(name).data(serde_json::to_string(data).unwrap_or_default())
}
