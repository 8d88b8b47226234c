//! What a client knows and what happens to it: enough to draw a page from. Reading changes nothing.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, SystemTime};

use futures_util::Stream;
use mainstay_contracts::Address;
use mainstay_contracts::registry::{GoneReason, Instance, Presence};
use tokio::sync::broadcast;
use tokio_util::sync::ReusableBoxFuture;

use crate::breaker::{BreakerState, PermitCounts};

/// Everything a client knows at one instant.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Snapshot {
    /// The service.
    pub service: &'static str,
    /// How things stand with the registry; `None` with a fixed list.
    pub registry: Option<RegistryView>,
    /// Every instance, by number. Who is gone stays for 10 minutes.
    pub instances: Vec<InstanceView>,
}

/// How things stand with the registry.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct RegistryView {
    /// Where it is: of several, the one in use.
    pub address: Address,
    /// Does its watch stand?
    pub reachable: bool,
    /// How long ago it spoke last, which it does every 5 s; after 15 s of silence it counts as unreachable. What is
    /// known is this old.
    pub age: Duration,
}

/// One instance, as a client sees it.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct InstanceView {
    /// The instance.
    pub instance: Arc<Instance>,
    /// What the registry thinks of it.
    pub presence: Presence,
    /// What this client thinks of it.
    pub breaker: BreakerView,
    /// What became of this client's calls.
    pub calls: CallCounts,
    /// What became of the breaker's permits, probes included.
    pub permits: PermitCounts,
}

/// A breaker at one instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct BreakerView {
    /// Its state.
    pub state: BreakerState,
    /// How long until an open breaker is retested.
    pub retest_in: Option<Duration>,
    /// Failures in a row while closed.
    pub failures: u32,
}

/// Calls since the client was built. Probes are not calls.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CallCounts {
    /// Answered: a refusal in the service's own words (4xx) is an answer.
    pub ok: u64,
    /// Refused, broken, timed out, 5xx or undecodable.
    pub failed: u64,
    /// How many of the failed timed out.
    pub timed_out: u64,
    /// Went elsewhere while the breaker was not closed.
    pub skipped: u64,
    /// Permits that are out now: calls, probes, and attempts whose caller has left.
    pub in_flight: u64,
    /// Attempts that went on in the background when their caller left, for the breaker to get its verdict: never
    /// more than one at a time, and none longer than the policy's timeout.
    pub left_behind: u64,
}

/// Something happened to an instance, its breaker or the registry.
///
/// `Display` is the line that the log shows, such as `OPEN breaker on [ratings at http://127.0.0.1:8001]`.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Event {
    /// When, by the wall clock.
    pub at: SystemTime,
    /// The service.
    pub service: &'static str,
    /// What.
    pub kind: EventKind,
}

/// What happened.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum EventKind {
    /// OPEN: the failure limit is reached, or the probe failed.
    Open {
        /// The instance.
        instance: Arc<Instance>,
        /// The failure that did it.
        cause: String,
    },
    /// RETEST: the breaker is half-open.
    Retest {
        /// The instance.
        instance: Arc<Instance>,
    },
    /// CLOSE: the probe succeeded.
    Close {
        /// The instance.
        instance: Arc<Instance>,
    },
    /// An instance came, or came back.
    Up {
        /// The instance.
        instance: Arc<Instance>,
    },
    /// An instance does not beat.
    Silent {
        /// The instance.
        instance: Arc<Instance>,
    },
    /// An instance was silent for long, and so were too many others: the registry rather doubts its way to them.
    Suspect {
        /// The instance.
        instance: Arc<Instance>,
    },
    /// An instance asks for no more calls; those that are under way go on.
    Draining {
        /// The instance.
        instance: Arc<Instance>,
    },
    /// An instance is gone.
    Gone {
        /// The instance.
        instance: Arc<Instance>,
        /// Why.
        why: GoneReason,
    },
    /// The registry does not answer; calls go on with the instances known.
    RegistryLost {
        /// Where it was.
        address: Address,
        /// How many instances are known.
        known: usize,
        /// What was wrong.
        cause: String,
    },
    /// The registry answers.
    RegistryBack {
        /// Where it is.
        address: Address,
    },
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let service = self.service;
        match &self.kind {
            EventKind::Open { instance, cause } => {
                write!(f, "OPEN breaker on [{service} at {}] {cause}", instance.address)
            }
            EventKind::Retest { instance } => write!(f, "RETEST breaker on [{service} at {}]", instance.address),
            EventKind::Close { instance } => write!(f, "CLOSE breaker on [{service} at {}]", instance.address),
            EventKind::Up { instance } => write!(f, "UP {service} instance {}: {}", instance.number, instance.address),
            EventKind::Silent { instance } => {
                write!(f, "SILENT {service} instance {}: {}", instance.number, instance.address)
            }
            EventKind::Suspect { instance } => {
                write!(f, "SUSPECT {service} instance {}: {}", instance.number, instance.address)
            }
            EventKind::Draining { instance } => {
                write!(f, "DRAINING {service} instance {}: {}", instance.number, instance.address)
            }
            EventKind::Gone { instance, why } => {
                let why = match why {
                    GoneReason::Left => "left",
                    GoneReason::ConnectionClosed => "connection closed",
                    GoneReason::Silent => "silent for too long",
                    GoneReason::Released => "released by an operator",
                    GoneReason::Unknown => "for a reason not known here",
                };
                write!(f, "GONE {service} instance {}: {} ({why})", instance.number, instance.address)
            }
            EventKind::RegistryLost { address, known, cause } => {
                let instances = match known {
                    0 => format!("and no {service} instance is known"),
                    1 => format!("using the last known {service} instance"),
                    _ => format!("using the last known {known} {service} instances"),
                };
                write!(f, "REGISTRY unreachable at {address}, {instances} ({cause})")
            }
            EventKind::RegistryBack { address } => write!(f, "REGISTRY reachable at {address}, for {service}"),
        }
    }
}

/// A client's events from the moment it was asked for them, as a stream or by [`next`](Events::next).
///
/// It ends with the client. Who reads slowly misses the oldest events (256 are kept) and not the newest.
pub struct Events {
    next: ReusableBoxFuture<'static, (Option<Event>, broadcast::Receiver<Event>)>,
}

impl Events {
    pub(crate) fn new(receiver: broadcast::Receiver<Event>) -> Self {
        Self { next: ReusableBoxFuture::new(receive(receiver)) }
    }

    /// The next event, or `None` when the client is gone.
    ///
    /// Cancel safe: no event is lost.
    pub async fn next(&mut self) -> Option<Event> {
        std::future::poll_fn(|cx| Pin::new(&mut *self).poll_next(cx)).await
    }
}

async fn receive(mut receiver: broadcast::Receiver<Event>) -> (Option<Event>, broadcast::Receiver<Event>) {
    loop {
        match receiver.recv().await {
            Ok(event) => return (Some(event), receiver),
            Err(broadcast::error::RecvError::Lagged(_)) => {}
            Err(broadcast::error::RecvError::Closed) => return (None, receiver),
        }
    }
}

impl Stream for Events {
    type Item = Event;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Event>> {
        self.next.poll(cx).map(|(event, receiver)| {
            self.next.set(receive(receiver));
            event
        })
    }
}

impl fmt::Debug for Events {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Events").finish_non_exhaustive()
    }
}
