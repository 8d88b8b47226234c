//! The one who changes the roster: everybody's wishes, one batch after the other.
//!
//! A batch is what came while the one before was on its way to the disk. It is done to the roster, kept, and only then
//! folded into the views and answered: what anybody can see, or has been told, is safe. While the disk does not take a
//! batch, nothing changes, nobody expires, and everybody is served with what was so before.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep};
use tracing::{error, info};

use crate::clock::{Ticker, Time};
use crate::keeper::{Changes, Keeper};
use crate::kv::{At, Board, Kv};
use crate::metrics::Metrics;
use crate::roster::{Batch, Held, Roster};
use crate::standing::Standing;
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
    holds: HashMap<u64, Arc<Standing>>,
    /// Is a connection that closes the end of its process?
    sure: bool,
}

impl State {
    /// Has something done to keys and sessions.
    pub(crate) fn with_kv<T>(&mut self, now: Time, done: impl FnOnce(&mut Kv, &mut At<'_>) -> T) -> T {
        done(&mut self.kv, &mut At { now, revision: self.roster.counter() })
    }

    /// Tells a lease connection's stream what becomes of what it stands for.
    pub(crate) fn follow_hold(&mut self, hold: u64, standing: &Arc<Standing>) {
        self.holds.insert(hold, Arc::clone(standing));
    }

    /// A lease connection has closed, and that says that its client has gone, or it does not.
    pub(crate) fn let_go(&mut self, held: &Held, hold: u64, says: bool) {
        self.holds.remove(&hold);
        self.roster.let_go(held, hold, says && self.sure);
    }

    fn tell_holds(&mut self, batch: &Batch) {
        for replaced in &batch.replaced {
            if let Some(standing) = self.holds.get(&replaced.hold) {
                standing.replace(&replaced.member, replaced.by);
            }
        }
        for ended in &batch.ended {
            if let Some(standing) = self.holds.remove(&ended.hold) {
                standing.end(ended.superseded_by);
            }
        }
    }
}

#[derive(Debug)]
pub(crate) struct Writer {
    state: State,
    keeper: Keeper,
    desk: Desk,
}

/// What a writer works with: it goes to the next one, where writers come and go.
#[derive(Debug)]
pub(crate) struct Desk {
    pub(crate) ticker: Ticker,
    pub(crate) jobs: mpsc::Receiver<Job>,
    pub(crate) views: Arc<Views>,
    pub(crate) board: Arc<Board>,
    pub(crate) trouble: Arc<Trouble>,
    pub(crate) metrics: Arc<Metrics>,
}

/// Where wishes are handed in, and where they come out.
pub(crate) fn jobs() -> (mpsc::Sender<Job>, mpsc::Receiver<Job>) {
    mpsc::channel(WAITING)
}

/// Why nothing can be changed at present.
#[derive(Debug, Default)]
pub(crate) struct Trouble(Mutex<Option<String>>);

impl Trouble {
    pub(crate) fn now(&self) -> Option<String> {
        self.0.lock().clone()
    }

    /// Returns whether it is new.
    pub(crate) fn set(&self, trouble: Option<String>) -> bool {
        let mut before = self.0.lock();
        let news = *before != trouble;
        *before = trouble;
        news
    }
}

impl Writer {
    pub(crate) fn new((roster, kv): (Roster, Kv), keeper: Keeper, desk: Desk) -> Self {
        let state = State { roster, kv, holds: HashMap::new(), sure: true };
        let mut writer = Self { state, keeper, desk };
        // What was restored is safe already.
        let restored = writer.state.roster.take_batch();
        writer.desk.views.fold(&restored, writer.state.roster.revision());
        writer.desk.board.fold(&writer.state.kv.take_batch());
        writer
    }

    /// Works for as long as it is polled, and it is this process that may. Then says who it is, if not.
    pub(crate) async fn run(&mut self) -> String {
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut jobs = Vec::new();
        loop {
            let wishes = &mut self.desk.jobs;
            tokio::select! {
                biased;
                // With nobody left to ask, time goes on.
                some = wishes.recv_many(&mut jobs, AT_ONCE), if !wishes.is_closed() || !wishes.is_empty() => {
                    if some == 0 { continue }
                }
                _ = ticks.tick() => {}
            }
            let now = self.desk.ticker.tick();
            self.state.sure = !self.desk.ticker.in_aftermath();
            self.state.roster.expire(now);
            self.state.with_kv(now, |kv, at| kv.expire(at));
            let replies: Vec<Reply> = jobs.drain(..).map(|job| job(&mut self.state, now)).collect();
            if let Err(why) = self.keep().await {
                return why;
            }
            replies.into_iter().for_each(|reply| reply());
        }
    }

    /// Waits until what is kept is closed.
    pub(crate) async fn close(self) {
        self.keeper.close().await;
    }

    /// What the next writer works with. Lease connections that stand are told to come back.
    #[cfg(feature = "etcd")]
    pub(crate) fn into_desk(self) -> Desk {
        self.state.holds.values().for_each(|standing| standing.leave());
        self.desk
    }

    /// Keeps what has changed, and then shows it.
    async fn keep(&mut self) -> Result<(), String> {
        let roster = self.state.roster.take_batch();
        let changes = Arc::new(Changes { roster, kv: self.state.kv.take_batch() });
        let revision = self.state.roster.revision();
        if !changes.is_empty() {
            let begun = Instant::now();
            self.write(&changes, revision).await?;
            self.desk.metrics.batch(&changes.roster, begun.elapsed());
        }
        self.desk.views.fold(&changes.roster, revision);
        self.desk.board.fold(&changes.kv);
        self.state.tell_holds(&changes.roster);
        Ok(())
    }

    async fn write(&mut self, changes: &Arc<Changes>, revision: u64) -> Result<(), String> {
        while let Err(unkept) = self.keeper.commit(changes, revision).await {
            let reason = unkept.yet()?;
            if self.desk.trouble.set(Some(reason.clone())) {
                error!("nothing can be changed: {reason}; trying on");
            }
            sleep(AGAIN).await;
        }
        if self.desk.trouble.set(None) {
            info!("changes are kept again");
        }
        Ok(())
    }
}
