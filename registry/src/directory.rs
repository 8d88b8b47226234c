//! Who is there, for any task to ask and tell: what protocols are made of.
//!
//! What is asked is read from the views, at once. What changes something goes to the writer, and is answered when it is
//! safe. A beat of who is believed to be there touches neither.

mod changes;
mod checks;
mod hold;
mod inspect;
mod names;
#[cfg(test)]
mod tests;
mod watch;

use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;
use tracing::error;

pub(crate) use self::checks::Named;
use crate::Config;
use crate::clock::{Clock, Time};
use crate::kv::{Board, Kv};
use crate::metrics::Metrics;
use crate::roster::{Kind, Refused, Roster};
use crate::store::{Damage, Store};
use crate::views::Views;
use crate::writer::{Job, State, Trouble, Writer};

/// How long anybody waits for a change to be safe.
const PATIENCE: Duration = Duration::from_secs(5);
/// How many may look at the page as it changes.
const ONLOOKERS: usize = 64;

/// The registry, as every protocol has it.
#[derive(Debug)]
pub(crate) struct Directory {
    config: Config,
    views: Arc<Views>,
    board: Arc<Board>,
    clock: Arc<Clock>,
    jobs: mpsc::Sender<Job>,
    trouble: Arc<Trouble>,
    metrics: Arc<Metrics>,
    damage: Option<Damage>,
    watchers: Arc<Semaphore>,
    onlookers: Arc<Semaphore>,
    /// How many lease connections stand.
    holds: AtomicUsize,
    started: Instant,
    stop: CancellationToken,
}

impl Directory {
    /// The registry as it was when it ended, if it keeps that, and the writer that has to run for anything to change. Its
    /// streams end when `stop` is cancelled.
    pub(crate) async fn open(config: Config, stop: CancellationToken) -> io::Result<(Arc<Self>, Writer)> {
        let born = micros();
        let (store, opened) = match &config.data {
            Some(dir) => {
                let (store, opened) = Store::open(dir, born).await?;
                (Some(store), opened)
            }
            None => (None, Default::default()),
        };
        if let Some(damage) = &opened.damage {
            error!("{damage}");
        }
        let epoch = if store.is_some() { opened.epoch } else { born };
        let mut roster = Roster::new(config.clone(), epoch, born);
        roster.restore(opened.revision, opened.listed, opened.gone);
        let most = config.limits.kv.waiting;
        let board = Arc::new(Board::new(opened.kv.forgotten, opened.kv.sessions_at, most, stop.clone()));
        let mut kv = Kv::new(config.limits.kv.clone());
        kv.restore(opened.kv, config.grace);
        let (clock, trouble, metrics) = (Arc::default(), Arc::default(), Arc::default());
        let views = Arc::new(Views::new(epoch, opened.floor));
        let (writer, jobs) = Writer::new((roster, kv), store, (&views, &board), &clock, &trouble, &metrics);
        let started = Instant::now();
        let onlookers = Arc::new(Semaphore::new(ONLOOKERS));
        let watchers = Arc::new(Semaphore::new(config.limits.watchers));
        let directory = Self {
            config,
            views,
            board,
            clock,
            jobs,
            trouble,
            metrics,
            damage: opened.damage,
            watchers,
            onlookers,
            holds: AtomicUsize::new(0),
            started,
            stop,
        };
        Ok((Arc::new(directory), writer))
    }

    pub(crate) fn config(&self) -> &Config {
        &self.config
    }

    /// What can be seen.
    pub(crate) fn views(&self) -> &Arc<Views> {
        &self.views
    }

    /// What can be seen of keys and sessions.
    pub(crate) fn board(&self) -> &Board {
        &self.board
    }

    pub(crate) fn now(&self) -> Time {
        self.clock.now()
    }

    pub(crate) fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// Why nothing can be changed at present, if that is so.
    pub(crate) fn trouble(&self) -> Option<String> {
        self.trouble.now()
    }

    /// What was wrong with what was kept, when the registry started.
    pub(crate) fn damage(&self) -> Option<&Damage> {
        self.damage.as_ref()
    }

    /// A place among those who look at the page, for as long as it is held.
    pub(crate) fn look_on(&self) -> Result<OwnedSemaphorePermit, Refused> {
        let place = Arc::clone(&self.onlookers).try_acquire_owned();
        place.map_err(|_| Refused::new(Kind::Full, format!("{ONLOOKERS} look at the page already")))
    }

    /// Waits for something, but not beyond the end of the registry.
    pub(crate) async fn until_stopped<T>(&self, something: impl Future<Output = T>) -> Option<T> {
        self.stop.run_until_cancelled(something).await
    }

    pub(crate) fn watchers(&self) -> usize {
        self.config.limits.watchers - self.watchers.available_permits()
    }

    /// Has the writer do something, and waits until it is safe.
    ///
    /// Cancelled, it may be done all the same.
    pub(crate) async fn change<T: Send + 'static>(
        &self,
        change: impl FnOnce(&mut State, Time) -> Result<T, Refused> + Send + 'static,
    ) -> Result<T, Refused> {
        let (sender, done) = oneshot::channel();
        self.ask(move |state, now| {
            let result = change(state, now);
            // Whoever asked may have gone.
            Box::new(move || drop(sender.send(result)))
        })?;
        match timeout(PATIENCE, done).await {
            Ok(Ok(result)) => result,
            Ok(Err(_)) => Err(Refused::new(Kind::Full, "the registry is stopping")),
            Err(_) => {
                let why = self.trouble().unwrap_or_else(|| "it is too slow".to_owned());
                let reason = format!("nothing could be kept for {PATIENCE:?}: {why}; it may yet be done");
                Err(Refused::new(Kind::Full, reason))
            }
        }
    }

    fn beat_every_ms(&self) -> u64 {
        u64::try_from(self.config.beat_every.as_millis()).unwrap_or(u64::MAX)
    }

    fn ask(&self, job: impl FnOnce(&mut State, Time) -> crate::writer::Reply + Send + 'static) -> Result<(), Refused> {
        self.jobs.try_send(Box::new(job)).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => Refused::new(Kind::Full, "too many changes wait to be kept"),
            mpsc::error::TrySendError::Closed(_) => Refused::new(Kind::Full, "the registry is stopping"),
        })
    }
}

/// Microseconds of the Unix era. A clock that stands before 1970 makes 0, which is as good as any.
fn micros() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_micros()).unwrap_or_default()
}
