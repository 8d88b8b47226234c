//! The live page: the same parts that the first page is drawn from, sent again when they have changed.
//!
//! One task draws for everybody, at most every [`PAUSE`] and only the pages that somebody watches. A stream sends what
//! differs from what it sent last, so a slow one skips drawings instead of piling them up.

use std::convert::Infallible;
use std::future::{pending, ready};
use std::sync::Arc;
use std::time::Duration;

use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse as _, Response};
use futures_util::StreamExt as _;
use futures_util::stream::{self, Stream};
use tokio::select;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::{MissedTickBehavior, interval, sleep};
use tokio_util::sync::CancellationToken;

use crate::market::Market;
use crate::state::State;
use crate::tab::Tab;
use crate::view::Drawing;

/// How many streams there may be. Fewer than connections, so that watching cannot lock out buying.
const STREAMS: usize = 256;

/// The shortest time between two drawings.
const PAUSE: Duration = Duration::from_millis(200);

/// Ages and countdowns are shown in seconds.
const TICK: Duration = Duration::from_secs(1);

/// Draws the pages for everybody who watches. Clones share it.
#[derive(Debug, Clone)]
pub(crate) struct Live {
    market: Market,
    /// In the order of the tabs.
    drawings: [watch::Sender<Arc<Drawing>>; Tab::ALL.len()],
    free: Arc<Semaphore>,
    ending: CancellationToken,
}

impl Live {
    pub(crate) fn new(market: Market) -> Self {
        Self {
            market,
            drawings: Tab::ALL.map(|_| watch::Sender::default()),
            free: Arc::new(Semaphore::new(STREAMS)),
            ending: CancellationToken::new(),
        }
    }

    /// Ends all streams: without it, they would outlive every patience.
    pub(crate) fn end(&self) {
        self.ending.cancel();
    }

    /// Draws, for as long as it is polled.
    pub(crate) async fn keep_drawing(&self) {
        let mut bell = self.market.tape().bell();
        let mut auctions = self.market.auctions().bell();
        let (mut rfqs, mut tasks) =
            self.market.clients().map(|clients| (clients.rfqs.bell(), clients.history.bell())).unzip();
        let mut tick = interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            select! {
                _ = bell.changed() => {}
                _ = auctions.changed() => {}
                () = changed(&mut rfqs) => {}
                () = changed(&mut tasks) => {}
                // What an auction waits for grows while nothing happens.
                () = ready(()), if self.market.auctions().last().is_some_and(|last| last.runs()) => {}
                _ = tick.tick() => {}
            }
            let watched = Tab::ALL.into_iter().filter(|tab| self.is_watched(*tab)).collect::<Vec<_>>();
            if !watched.is_empty() {
                let state = State::of(&self.market);
                for tab in watched {
                    self.drawings[tab as usize].send_replace(Arc::new(Drawing::of(tab, &state)));
                }
            }
            sleep(PAUSE).await;
        }
    }

    /// Whether anybody has this page open.
    pub(crate) fn is_watched(&self, tab: Tab) -> bool {
        self.drawings[tab as usize].receiver_count() > 0
    }

    /// A stream of a page's parts that change, the whole of them first; nothing when there are too many streams.
    pub(crate) fn stream(&self, tab: Tab) -> Option<Response> {
        let place = Arc::clone(&self.free).try_acquire_owned().ok()?;
        let drawings = self.drawings[tab as usize].subscribe();
        let first = Arc::new(Drawing::of(tab, &State::of(&self.market)));
        let events = Watcher { drawings, sent: Arc::default(), first: Some(first), _place: place }.events();
        let events = events.take_until(self.ending.clone().cancelled_owned());
        Some(Sse::new(events).keep_alive(KeepAlive::default()).into_response())
    }
}

/// Resolves at the next change; never, without a bell.
async fn changed<T>(bell: &mut Option<watch::Receiver<T>>) {
    match bell {
        Some(bell) => drop(bell.changed().await),
        None => pending().await,
    }
}

/// One stream's place, and what it has sent.
struct Watcher {
    drawings: watch::Receiver<Arc<Drawing>>,
    sent: Arc<Drawing>,
    first: Option<Arc<Drawing>>,
    _place: OwnedSemaphorePermit,
}

impl Watcher {
    fn events(self) -> impl Stream<Item = Result<Event, Infallible>> {
        stream::unfold(self, async |mut watcher| {
            loop {
                let drawing = watcher.next().await?;
                let changed = drawing.since(&watcher.sent);
                watcher.sent = drawing;
                if !changed.is_empty() {
                    return Some((Ok(Event::default().data(changed)), watcher));
                }
            }
        })
    }

    async fn next(&mut self) -> Option<Arc<Drawing>> {
        if let Some(first) = self.first.take() {
            return Some(first);
        }
        self.drawings.changed().await.ok()?;
        Some(Arc::clone(&self.drawings.borrow_and_update()))
    }
}
