//! What all clones of a client, its tasks and its calls share.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use mainstay_contracts::registry::{Listed, Presence};
use mainstay_contracts::{Address, Policy};
use parking_lot::{Mutex, MutexGuard};
use tokio::runtime::Handle;
use tokio::sync::{broadcast, watch};
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;
use tracing::info;

use super::builder::Setup;
use crate::breaker::{BreakerState, Outcome, Rules, Transition};
use crate::cache::LastGood;
use crate::discover::{self, Connection, Memory, Noted, Roster};
use crate::error::{Cause, ErrorKind, RegistryAway};
use crate::instance::{Admission, InstanceState};
use crate::observe::{BreakerView, CallCounts, Event, EventKind, Events, InstanceView, RegistryView, Snapshot};
use crate::probe;

/// Events kept for a reader that lags.
const EVENTS_KEPT: usize = 256;
/// How often it is looked what is not worth keeping any more.
const TIDY_EVERY: Duration = Duration::from_secs(30);

pub(crate) struct Core {
    pub(crate) service: &'static str,
    pub(crate) policy: Policy,
    pub(crate) roster: Roster,
    pub(crate) last_good: Option<LastGood>,
    registry: Option<Arc<Connection>>,
    pub(crate) memory: Option<Arc<Memory>>,
    /// True once it is known who is there, or that nobody says. The flag is for callers, who must not take the
    /// channel's lock; the channel for those who wait.
    is_discovered: AtomicBool,
    discovered: watch::Sender<bool>,
    events: broadcast::Sender<Event>,
    /// Held while a transition is made, published and told, so that an instance's events come in their order: were it
    /// taken after the transition only, the next one could be told before.
    turning: Mutex<()>,
    runtime: Handle,
    stop: CancellationToken,
}

impl Core {
    pub(super) fn start(service: &'static str, setup: Setup, runtime: Handle, stop: CancellationToken) -> Arc<Self> {
        let now = Instant::now();
        let Setup { policy, registries, fixed, memory, network } = setup;
        let memory = memory.map(Arc::new);
        let remembered = memory.as_ref().and_then(|memory| memory.recall());
        let age = remembered.as_ref().map_or(Duration::ZERO, |(_, age)| *age);
        let registry = registries.as_ref().map(|some| Arc::new(Connection::new(some.address().clone(), age, now)));
        let core = Arc::new(Self {
            service,
            policy,
            roster: Roster::new(Rules::from(&policy), network),
            last_good: policy.keep_last_good().map(LastGood::new),
            registry,
            memory,
            is_discovered: AtomicBool::new(false),
            discovered: watch::Sender::new(false),
            turning: Mutex::new(()),
            events: broadcast::Sender::new(EVENTS_KEPT),
            runtime,
            stop,
        });
        if let Some(addresses) = fixed {
            let listed = |instance| Listed { instance, presence: Presence::Up };
            core.note(|roster| roster.note(discover::fixed(&addresses).into_iter().map(listed), now));
            core.discovered();
        }
        if let Some((listing, _)) = remembered
            && !listing.instances.is_empty()
        {
            core.note(|roster| roster.note_listing(listing, now));
            core.discovered();
        }
        core.spawn(tidy(Arc::clone(&core)));
        if let Some((registries, connection)) = registries.zip(core.registry.clone()) {
            core.spawn(discover::watch(Arc::clone(&core), connection, registries));
            core.spawn(discover::keep_time(Arc::clone(&core)));
            if let Some(memory) = core.memory.clone() {
                core.spawn(discover::keep_memory(Arc::clone(&core), memory));
            }
        }
        core
    }

    /// Runs a task that ends with the client.
    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.spawn_in(&self.runtime, task);
    }

    /// As [`spawn`](Self::spawn), for what began in a runtime that may be another one.
    pub(crate) fn spawn_in(&self, runtime: &Handle, task: impl Future<Output = ()> + Send + 'static) {
        let stop = self.stop.clone();
        runtime.spawn(async move {
            let _ = stop.run_until_cancelled_owned(task).await;
        });
    }

    pub(crate) fn discovered(&self) {
        if !self.is_discovered.swap(true, Ordering::AcqRel) {
            self.discovered.send_replace(true);
        }
    }

    pub(crate) fn is_discovered(&self) -> bool {
        self.is_discovered.load(Ordering::Acquire)
    }

    pub(crate) async fn until_discovered(&self) {
        // The sender lives as long as self.
        let _ = self.discovered.subscribe().wait_for(|discovered| *discovered).await;
    }

    /// Settles a permit; if that turned the breaker, tells everybody.
    pub(crate) fn settle(
        self: &Arc<Self>,
        mut permit: Admission,
        outcome: Outcome,
        cause: Option<&Cause>,
        now: Instant,
    ) {
        if let Some((transition, turning)) = permit.settle(outcome, now, || self.turning.lock()) {
            self.turned(&turning, permit.holder().instance(), transition, cause);
        }
    }

    /// Retests an instance if its time has come.
    pub(crate) fn retest(self: &Arc<Self>, state: &Arc<InstanceState>) {
        let turning = self.turning.lock();
        if let Some(transition) = state.breaker.tick(Instant::now()) {
            self.turned(&turning, state, transition, None);
        }
    }

    /// A breaker has turned: the rotation changes, its keeper is told, and so is the world, once.
    fn turned(
        self: &Arc<Self>,
        _turning: &MutexGuard<'_, ()>,
        state: &Arc<InstanceState>,
        transition: Transition,
        cause: Option<&Cause>,
    ) {
        if transition == Transition::Opened {
            // What made it fail may have broken the others too, and a probe takes a connection of its own.
            state.connections.forget_idle();
        }
        self.roster.turned(state, Instant::now());
        let instance = state.instance();
        self.emit(match transition {
            Transition::Opened => EventKind::Open { instance, cause: self.describe(cause) },
            Transition::Retest => EventKind::Retest { instance },
            Transition::Closed => EventKind::Close { instance },
        });
        probe::keep(self, state);
    }

    /// Has the roster note something, and tells what that means.
    pub(crate) fn note(self: &Arc<Self>, note: impl FnOnce(&Roster) -> Vec<Noted>) {
        let turning = self.turning.lock();
        for noted in note(&self.roster) {
            match noted {
                Noted::Up(instance) => self.emit(EventKind::Up { instance }),
                Noted::Silent(instance) => self.emit(EventKind::Silent { instance }),
                Noted::Suspect(instance) => self.emit(EventKind::Suspect { instance }),
                Noted::Draining(instance) => self.emit(EventKind::Draining { instance }),
                Noted::Gone(instance, why) => self.emit(EventKind::Gone { instance, why }),
                Noted::Retest(state) => self.turned(&turning, &state, Transition::Retest, None),
            }
        }
    }

    /// That nobody is known, and why if it is because the registry is away.
    pub(crate) fn nobody_known(&self) -> Box<Cause> {
        let heard = self.registry.as_ref().map(|connection| connection.heard());
        let source = heard.filter(|heard| !heard.reachable).map(|heard| RegistryAway(heard.address));
        Box::new(Cause { source: source.map(|away| Box::new(away) as _), ..Cause::of(ErrorKind::NoInstance) })
    }

    /// How old is what is known?
    pub(crate) fn registry_age(&self) -> Duration {
        self.registry.as_ref().map_or(Duration::ZERO, |connection| connection.heard().age(Instant::now()))
    }

    pub(crate) fn registry_lost(&self, address: &Address, cause: &str) {
        let known = self.roster.everybody().iter().filter(|state| state.is_present()).count();
        self.emit(EventKind::RegistryLost { address: address.clone(), known, cause: cause.to_owned() });
    }

    pub(crate) fn registry_back(&self, address: &Address) {
        self.emit(EventKind::RegistryBack { address: address.clone() });
    }

    pub(super) fn events(&self) -> Events {
        Events::new(self.events.subscribe())
    }

    pub(super) fn snapshot(&self) -> Snapshot {
        let now = Instant::now();
        let calls = self.roster.calls();
        let registry = self.registry.as_ref().map(|connection| {
            let heard = connection.heard();
            let age = heard.age(now);
            RegistryView { address: heard.address, reachable: heard.reachable, age }
        });
        let instances = self.roster.everybody().iter().map(|state| view(state, calls, now)).collect();
        Snapshot { service: self.service, registry, instances }
    }

    fn describe(&self, cause: Option<&Cause>) -> String {
        let limit = self.policy.failure_limit();
        match cause {
            Some(cause) => format!("{limit}/{limit} failures, {}", cause.describe(self.policy.timeout())),
            None => format!("{limit}/{limit} failures"),
        }
    }

    fn emit(&self, kind: EventKind) {
        let event = Event { at: SystemTime::now(), service: self.service, kind };
        info!(target: "mainstay::event", "{event}");
        // Nobody may be listening.
        let _ = self.events.send(event);
    }
}

/// Idle connections are driven by nobody, so that one that its instance has closed is seen only by who looks; and an
/// old answer is dropped by nobody who does not ask for it.
async fn tidy(core: Arc<Core>) {
    loop {
        sleep(TIDY_EVERY).await;
        core.roster.everybody().iter().for_each(|state| state.connections.tend_idle());
        core.last_good.iter().for_each(|last_good| last_good.tidy(Instant::now()));
    }
}

fn view(state: &InstanceState, calls: u64, now: Instant) -> InstanceView {
    let breaker = &state.breaker;
    let permits = breaker.permits();
    let closed = breaker.state(now) == BreakerState::Closed;
    InstanceView {
        instance: state.instance(),
        presence: state.standing().presence,
        breaker: BreakerView {
            state: breaker.state(now),
            retest_in: breaker.retest_at().map(|at| at.saturating_duration_since(now)).filter(|left| !left.is_zero()),
            failures: if closed { breaker.failures() } else { 0 },
        },
        calls: CallCounts {
            ok: state.answers.ok.load(Ordering::Relaxed),
            failed: state.answers.failed.load(Ordering::Relaxed),
            timed_out: state.answers.timed_out.load(Ordering::Relaxed),
            skipped: state.skipped(calls),
            in_flight: permits.out(),
            left_behind: state.answers.left_behind.load(Ordering::Relaxed),
        },
        permits,
    }
}
