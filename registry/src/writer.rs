//! The one who changes the roster: everybody's wishes, one batch after the other.
//!
//! A batch is what came while the one before was on its way to the disk. It is done to the roster, kept, and only then
//! folded into the views and answered: what anybody can see, or has been told, is safe. While the disk does not take a
//! batch, nothing changes, nobody expires, and everybody is served with what was so before.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep};
use tracing::{error, info};

use crate::clock::{Clock, Ticker, Time};
use crate::kv::{At, Board, Kv};
use crate::metrics::Metrics;
use crate::roster::{Held, HoldEnded, Roster};
use crate::store::{Changes, Store};
use crate::views::Views;

/// How often time goes on when nothing happens.
const TICK: Duration = Duration::from_millis(100);
/// How many wishes may wait: more than there are connections.
const WAITING: usize = 32_768;
/// How many are done at once: what bounds a transaction.
const AT_ONCE: usize = 4096;
/// When a batch is tried again that the disk did not take.
const AGAIN: Duration = Duration::from_millis(250);

/// Something that is done to the roster, and what is said when it is safe.
pub(crate) type Job = Box<dyn FnOnce(&mut State, Time) -> Reply + Send>;
pub(crate) type Reply = Box<dyn FnOnce() + Send>;

/// What jobs change.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) roster: Roster,
    pub(crate) kv: Kv,
    holds: HashMap<u64, oneshot::Sender<Option<u64>>>,
    /// Is a connection that closes the end of its process?
    sure: bool,
}

impl State {
    /// Has something done to keys and sessions.
    pub(crate) fn with_kv<T>(&mut self, now: Time, done: impl FnOnce(&mut Kv, &mut At<'_>) -> T) -> T {
        done(&mut self.kv, &mut At { now, revision: self.roster.counter() })
    }

    /// Tells a lease connection's stream when it stands for nothing any more.
    pub(crate) fn follow_hold(&mut self, hold: u64, ended: oneshot::Sender<Option<u64>>) {
        self.holds.insert(hold, ended);
    }

    /// A lease connection has closed.
    pub(crate) fn let_go(&mut self, held: &Held, hold: u64) {
        self.holds.remove(&hold);
        self.roster.let_go(held, hold, self.sure);
    }

    fn end_holds(&mut self, ended: &[HoldEnded]) {
        for HoldEnded { hold, superseded_by } in ended {
            if let Some(stream) = self.holds.remove(hold) {
                // An error says that the stream is over already.
                let _ = stream.send(*superseded_by);
            }
        }
    }
}

#[derive(Debug)]
pub(crate) struct Writer {
    state: State,
    ticker: Ticker,
    jobs: mpsc::Receiver<Job>,
    /// Where batches are kept, if anywhere.
    store: Option<Store>,
    views: Arc<Views>,
    board: Arc<Board>,
    trouble: Arc<Trouble>,
    metrics: Arc<Metrics>,
}

/// Why nothing can be changed at present.
#[derive(Debug, Default)]
pub(crate) struct Trouble(Mutex<Option<String>>);

impl Trouble {
    pub(crate) fn now(&self) -> Option<String> {
        self.0.lock().clone()
    }

    /// Returns whether it is new.
    fn set(&self, trouble: Option<String>) -> bool {
        let mut before = self.0.lock();
        let news = *before != trouble;
        *before = trouble;
        news
    }
}

impl Writer {
    pub(crate) fn new(
        (roster, kv): (Roster, Kv),
        store: Option<Store>,
        (views, board): (&Arc<Views>, &Arc<Board>),
        clock: &Arc<Clock>,
        trouble: &Arc<Trouble>,
        metrics: &Arc<Metrics>,
    ) -> (Self, mpsc::Sender<Job>) {
        let (sender, jobs) = mpsc::channel(WAITING);
        let state = State { roster, kv, holds: HashMap::new(), sure: true };
        let ticker = Ticker::new(Arc::clone(clock));
        let (views, board) = (Arc::clone(views), Arc::clone(board));
        let (trouble, metrics) = (Arc::clone(trouble), Arc::clone(metrics));
        let mut writer = Self { state, ticker, jobs, store, views, board, trouble, metrics };
        // What was restored is safe already.
        let restored = writer.state.roster.take_batch();
        writer.views.fold(&restored, writer.state.roster.revision());
        writer.board.fold(&writer.state.kv.take_batch());
        (writer, sender)
    }

    /// Works for as long as it is polled.
    pub(crate) async fn run(&mut self) {
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut jobs = Vec::new();
        loop {
            tokio::select! {
                biased;
                // With nobody left to ask, time goes on.
                some = self.jobs.recv_many(&mut jobs, AT_ONCE), if !self.jobs.is_closed() || !self.jobs.is_empty() => {
                    if some == 0 { continue }
                }
                _ = ticks.tick() => {}
            }
            let now = self.ticker.tick();
            self.state.sure = !self.ticker.in_aftermath();
            self.state.roster.expire(now);
            self.state.with_kv(now, |kv, at| kv.expire(at));
            let replies: Vec<Reply> = jobs.drain(..).map(|job| job(&mut self.state, now)).collect();
            self.keep().await;
            replies.into_iter().for_each(|reply| reply());
        }
    }

    /// Waits until what is kept is closed.
    pub(crate) async fn close(self) {
        if let Some(store) = self.store {
            store.close().await;
        }
    }

    /// Keeps what has changed, and then shows it.
    async fn keep(&mut self) {
        let roster = self.state.roster.take_batch();
        let changes = Arc::new(Changes { roster, kv: self.state.kv.take_batch() });
        let revision = self.state.roster.revision();
        if !changes.is_empty() {
            let begun = Instant::now();
            self.write(&changes, revision).await;
            self.metrics.batch(&changes.roster, begun.elapsed());
        }
        self.views.fold(&changes.roster, revision);
        self.board.fold(&changes.kv);
        self.state.end_holds(&changes.roster.ended);
    }

    async fn write(&self, changes: &Arc<Changes>, revision: u64) {
        let Some(store) = &self.store else { return };
        while let Err(reason) = store.commit(changes, revision).await {
            if self.trouble.set(Some(reason.clone())) {
                error!("nothing can be changed: {reason}; trying on");
            }
            sleep(AGAIN).await;
        }
        if self.trouble.set(None) {
            info!("changes are kept again");
        }
    }
}
