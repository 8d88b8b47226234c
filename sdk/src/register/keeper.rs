//! The task that keeps a lease.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::{FuturesUnordered, StreamExt as _};
use http::{Method, StatusCode};
use mainstay_contracts::registry::{
    BEAT_EVERY, BeatLease, Beaten, EndLease, HOLD_LEASE, HoldFrame, HoldLease, InstanceId, LeaseId, Register,
    Registered,
};
use mainstay_contracts::wire::Encoded;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at, sleep, sleep_until};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::entries::Entries;
use crate::frames::{AnyError, Complaints, Frames, LONGEST_CLOSING, Refused, ask};
use crate::registries::Registries;
use crate::transport::Outgoing;

/// How long to wait before standing up again against a later incarnation.
const SUPERSEDED_PAUSE: Duration = Duration::from_secs(30);
/// How many instances of one lease are registered at once.
const AT_ONCE: usize = 16;
const SUPERSEDED: &str = "a later incarnation is registered";

pub(super) struct Keeper {
    pub(super) registries: Registries,
    pub(super) lease: LeaseId,
    pub(super) entries: Arc<Entries>,
    pub(super) complaints: Complaints,
}

/// Why holding a lease ended without an error.
enum Ended {
    /// It was asked for.
    Released,
    /// The stream did.
    Stream,
    /// The registry stops, and says when to come back.
    Closing(Duration),
    /// The registry does not know the lease any more.
    Forgotten,
}

/// What was asked for besides the stream, and is answered.
enum Answered {
    Beat(Result<Beaten, AnyError>),
    Register(u64, Box<Register>, Result<Registered, AnyError>),
}

type Asking = FuturesUnordered<Pin<Box<dyn Future<Output = Answered> + Send>>>;

impl Keeper {
    /// Opens the lease again and again, until it is released.
    pub(super) async fn run(mut self, stop: CancellationToken) {
        loop {
            let ended = match stop.run_until_cancelled(self.open()).await {
                None => return self.end().await,
                Some(Ok((frames, every))) => self.hold(frames, every, &stop).await,
                Some(Err(error)) => Err(error),
            };
            self.entries.lost();
            if let Err(error) = &ended {
                self.complain(error);
            }
            let pause = self.registries.next();
            let pause = match ended {
                Ok(Ended::Released) => return,
                Ok(Ended::Closing(closing)) => Some(closing).max(pause),
                Ok(Ended::Stream | Ended::Forgotten) | Err(_) => pause,
            };
            if stop.run_until_cancelled(sleep(pause.unwrap_or_default())).await.is_none() {
                return self.end().await;
            }
        }
    }

    /// Ends the lease, wherever the registry remembers it; who releases it bounds how long that may take.
    async fn end(&self) {
        let end = EndLease { lease: self.lease.clone() };
        let _ = ask(Arc::clone(self.registries.connections()), end, BEAT_EVERY).await;
    }

    /// Opens the lease; says how often to beat.
    async fn open(&mut self) -> Result<(Frames<HoldFrame>, Duration), AnyError> {
        let body = serde_json::to_vec(&HoldLease { lease: self.lease.clone() })?;
        let target = HOLD_LEASE.replace("{lease}", self.lease.as_str());
        let request = Outgoing::new(Method::POST, Encoded { target, body: Some(body) }, true)?;
        let mut frames = Frames::open(self.registries.connections(), &request).await?;
        let Some(HoldFrame::Lease { beat_every_ms, .. }) = frames.next().await? else {
            return Err("it does not speak the registry's protocol".into());
        };
        self.complaints = Complaints::default();
        Ok((frames, beat_every(beat_every_ms)))
    }

    /// Registers what there is and beats, for as long as the registry lets it, or until it is to be released.
    async fn hold(
        &mut self,
        mut frames: Frames<HoldFrame>,
        mut every: Duration,
        stop: &CancellationToken,
    ) -> Result<Ended, AnyError> {
        let entries = Arc::clone(&self.entries);
        entries.stands_at(self.registries.connections());
        let (mut asking, mut beats, mut beating) = (Asking::new(), beats(every), false);
        loop {
            let begun = entries.begin(Instant::now(), AT_ONCE.saturating_sub(asking.len()));
            asking.extend(begun.into_iter().map(|(serial, register)| self.register(serial, register)));
            let due = if asking.len() < AT_ONCE { entries.due_at() } else { None };
            tokio::select! {
                frame = frames.next() => match frame? {
                    Some(HoldFrame::Closing { return_in_ms }) => {
                        return Ok(Ended::Closing(Duration::from_millis(return_in_ms).min(LONGEST_CLOSING)));
                    }
                    Some(HoldFrame::Replaced { service, id, incarnation }) => {
                        self.replaced(&service, &id, incarnation);
                    }
                    Some(_) => {}
                    None => return Ok(Ended::Stream),
                },
                _ = beats.tick(), if !beating => {
                    self.registries.works();
                    asking.push(self.beat());
                    beating = true;
                }
                Some(answered) = asking.next() => match answered {
                    Answered::Beat(answer) => {
                        beating = false;
                        match answer {
                            Err(error) if is(&error, StatusCode::NOT_FOUND) => return Ok(Ended::Forgotten),
                            // A registry that says nothing is noticed by its stream.
                            Err(error) => self.refused(&error),
                            Ok(beaten) if beat_every(beaten.beat_every_ms) != every => {
                                every = beat_every(beaten.beat_every_ms);
                                beats = self::beats(every);
                            }
                            Ok(_) => {}
                        }
                    }
                    Answered::Register(_, _, Err(error)) if is(&error, StatusCode::NOT_FOUND) => {
                        return Ok(Ended::Forgotten);
                    }
                    Answered::Register(serial, register, answer) => self.answered(serial, &register, answer),
                },
                () = entries.changed.notified() => {}
                () = sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => {}
                () = stop.cancelled() => {
                    // What is not registered yet need not be any more; and the lease is ended while its stream still
                    // stands: closing that first would look like a crash. If this does not get through, the closing
                    // says enough.
                    drop(asking);
                    self.end().await;
                    return Ok(Ended::Released);
                }
            }
        }
    }

    fn beat(&self) -> Pin<Box<dyn Future<Output = Answered> + Send>> {
        let (registry, beat) = (Arc::clone(self.registries.connections()), BeatLease { lease: self.lease.clone() });
        Box::pin(async move { Answered::Beat(ask(registry, beat, BEAT_EVERY).await) })
    }

    fn register(&self, serial: u64, register: Register) -> Pin<Box<dyn Future<Output = Answered> + Send>> {
        let registry = Arc::clone(self.registries.connections());
        Box::pin(async move {
            let answer = ask(registry, register.clone(), BEAT_EVERY).await;
            Answered::Register(serial, Box::new(register), answer)
        })
    }

    /// What is wrong with one registration is no other one's concern.
    fn answered(&self, serial: u64, register: &Register, answer: Result<Registered, AnyError>) {
        let Register { service, address, .. } = register;
        let error = match answer {
            Ok(Registered { number, .. }) => {
                if self.entries.registered(serial) {
                    info!(target: "mainstay::lease", "registered {service} instance {number} at {address}");
                }
                return;
            }
            Err(error) => error,
        };
        let superseded = is(&error, StatusCode::CONFLICT);
        if self.entries.refused(serial, &error, superseded.then_some(SUPERSEDED_PAUSE)) {
            let why = if superseded { SUPERSEDED.to_owned() } else { error.to_string() };
            self.is_not_registered(register, &why);
        }
    }

    /// Another process is there in the place of one of ours.
    fn replaced(&self, service: &str, id: &InstanceId, by: u64) {
        if let Some(register) = self.entries.replaced(service, id, by, SUPERSEDED_PAUSE) {
            self.is_not_registered(&register, SUPERSEDED);
        }
    }

    fn is_not_registered(&self, Register { service, address, .. }: &Register, why: &str) {
        let registry = self.registries.address();
        warn!(target: "mainstay::lease", "{service} at {address} is not registered at {registry}: {why}; trying on");
    }

    /// A registry that has something against a beat will have it against all of them.
    fn refused(&mut self, error: &AnyError) {
        if error.is::<Refused>() {
            self.complain(error);
        }
    }

    /// Once per absence of the registry.
    fn complain(&mut self, error: &AnyError) {
        if self.complaints.is_new(error) {
            let (who, registry) = (self.entries.describe(), self.registries.address());
            warn!(target: "mainstay::lease", "{who} is not registered at {registry}: {error}; trying on");
        }
    }
}

fn beat_every(ms: u64) -> Duration {
    Duration::from_millis(ms.clamp(10, 60_000))
}

fn beats(every: Duration) -> Interval {
    let mut beats = interval_at(Instant::now() + every, every);
    beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
    beats
}

fn is(error: &AnyError, status: StatusCode) -> bool {
    error.downcast_ref::<Refused>().is_some_and(|refused| refused.is(status))
}
