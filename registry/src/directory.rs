//! Who is there, for any task to ask and tell: what protocols are made of.
//!
//! What is asked is read from the views, at once. What changes something goes to the writer, and is answered when it is
//! safe. A beat of who is believed to be there touches neither.

mod changes;
mod checks;
mod hold;
mod inspect;
mod names;
#[cfg(feature = "etcd")]
mod replicas;
#[cfg(test)]
mod tests;
mod watch;

#[cfg(feature = "etcd")]
use std::collections::HashMap;
use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use mainstay_contracts::Address;
#[cfg(feature = "etcd")]
use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;
use tracing::error;

pub(crate) use self::checks::Named;
pub(crate) use self::hold::{Hold, PassedOn};
use crate::Config;
use crate::clock::{Clock, Ticker, Time};
use crate::keeper::Keeper;
use crate::kv::{Board, Kv};
use crate::metrics::Metrics;
#[cfg(feature = "etcd")]
use crate::replica::{Replicas, Writes};
#[cfg(feature = "etcd")]
use crate::roster::Held;
use crate::roster::{Kind, Refused, Roster};
use crate::store::{Damage, Opened, Store};
use crate::views::Views;
use crate::writer::{self, Desk, Job, Reply, State, Trouble, Writer};

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
    /// The others that serve the same, if it is one of several.
    #[cfg(feature = "etcd")]
    replicas: Option<Arc<Replicas>>,
    /// What the lease connections stand for that another replica has passed on.
    #[cfg(feature = "etcd")]
    passed_on: Mutex<HashMap<u64, Held>>,
}

impl Directory {
    /// The registry as it was when it ended, if it keeps that, and the writer that has to run for anything to change. Its
    /// streams end when `stop` is cancelled.
    pub(crate) async fn open(config: Config, stop: CancellationToken) -> io::Result<(Arc<Self>, Writer)> {
        let born = micros();
        let (keeper, mut opened) = match &config.data {
            Some(dir) => {
                let (store, opened) = Store::open(dir, born).await?;
                (Keeper::Disk(store), opened)
            }
            None => (Keeper::Nowhere, Opened { epoch: born, ..Opened::default() }),
        };
        if let Some(damage) = &opened.damage {
            error!("{damage}");
        }
        let damage = opened.damage.take();
        let (mut directory, desk) = Self::new(config, &opened, stop);
        directory.damage = damage;
        let state = state(&directory.config, opened, Time::default());
        let writer = Writer::new(state, keeper, desk);
        Ok((Arc::new(directory), writer))
    }

    /// One that shows nothing yet, and what a writer of it works with.
    pub(crate) fn new(config: Config, opened: &Opened, stop: CancellationToken) -> (Self, Desk) {
        let most = config.limits.kv.waiting;
        let board = Arc::new(Board::new(opened.kv.forgotten, opened.kv.sessions_at, most, stop.clone()));
        let views = Arc::new(Views::new(opened.epoch, opened.floor));
        let (clock, trouble, metrics): (Arc<Clock>, Arc<Trouble>, Arc<Metrics>) = Default::default();
        let (sender, jobs) = writer::jobs();
        let desk = Desk {
            ticker: Ticker::new(Arc::clone(&clock)),
            jobs,
            views: Arc::clone(&views),
            board: Arc::clone(&board),
            trouble: Arc::clone(&trouble),
            metrics: Arc::clone(&metrics),
        };
        let directory = Self {
            views,
            board,
            clock,
            jobs: sender,
            trouble,
            metrics,
            damage: None,
            watchers: Arc::new(Semaphore::new(config.limits.watchers)),
            onlookers: Arc::new(Semaphore::new(ONLOOKERS)),
            holds: AtomicUsize::new(0),
            started: Instant::now(),
            config,
            stop,
            #[cfg(feature = "etcd")]
            replicas: None,
            #[cfg(feature = "etcd")]
            passed_on: Mutex::default(),
        };
        (directory, desk)
    }

    /// The same, as one of several.
    #[cfg(feature = "etcd")]
    pub(crate) fn one_of(mut self, replicas: Arc<Replicas>) -> Self {
        self.replicas = Some(replicas);
        self
    }

    #[cfg(feature = "etcd")]
    pub(crate) fn replicas(&self) -> Option<&Arc<Replicas>> {
        self.replicas.as_ref()
    }

    #[cfg(feature = "etcd")]
    pub(crate) fn is_stopping(&self) -> bool {
        self.stop.is_cancelled()
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
        #[cfg(feature = "etcd")]
        if let Some(Writes::Nobody(why)) = self.replicas.as_ref().map(|replicas| replicas.writes()) {
            return Some(why);
        }
        self.trouble.now()
    }

    /// Does this one write, if it is one of several?
    pub(crate) fn writes(&self) -> Option<bool> {
        #[cfg(feature = "etcd")]
        if let Some(replicas) = &self.replicas {
            return Some(replicas.writes_here());
        }
        None
    }

    /// Does another one write, as far as is known here?
    pub(crate) fn follows(&self) -> bool {
        #[cfg(feature = "etcd")]
        if let Some(replicas) = &self.replicas {
            return matches!(replicas.writes(), Writes::There(..));
        }
        false
    }

    /// Where this one is reached, if it is one of several and writes.
    fn writer(&self) -> Option<Address> {
        #[cfg(feature = "etcd")]
        if let Some(replicas) = self.replicas.as_ref().filter(|replicas| replicas.writes_here()) {
            return Some(replicas.address().clone());
        }
        None
    }

    /// Cancelled when watches end: when the registry stops, or cannot tell any more what is new.
    fn watching(&self) -> CancellationToken {
        #[cfg(feature = "etcd")]
        if let Some(replicas) = &self.replicas {
            return replicas.fresh();
        }
        self.stop.clone()
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
            Ok(Err(_)) => Err(Refused::new(Kind::Full, "the registry is stopping, or does not write any more")),
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

    fn ask(&self, job: impl FnOnce(&mut State, Time) -> Reply + Send + 'static) -> Result<(), Refused> {
        self.jobs.try_send(Box::new(job)).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => Refused::new(Kind::Full, "too many changes wait to be kept"),
            mpsc::error::TrySendError::Closed(_) => Refused::new(Kind::Full, "the registry is stopping"),
        })
    }
}

/// What a writer begins with, where `now` is as much as it has of time.
pub(crate) fn state(config: &Config, opened: Opened, now: Time) -> (Roster, Kv) {
    let mut roster = Roster::new(config.clone(), opened.epoch, micros(), now);
    roster.restore(opened.revision, opened.listed, opened.gone, now);
    let mut kv = Kv::new(config.limits.kv.clone());
    kv.restore(opened.kv, config.grace, now);
    (roster, kv)
}

/// Microseconds of the Unix era. A clock that stands before 1970 makes 0, which is as good as any.
pub(crate) fn micros() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_micros()).unwrap_or_default()
}
