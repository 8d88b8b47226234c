//! Being there: an instance stays known for as long as it lives, whatever becomes of the registry.
//!
//! The lease is a connection that stands open: when the process dies, the registry sees it close. A process
//! that is stopped (SIGSTOP) keeps its connection, so it beats as well.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http::StatusCode;
use mainstay_contracts::registry::{Beat, Deregister, HOLD, HoldFrame, InstanceId, Register, Registered};
use mainstay_contracts::wire::{self, Encoded};
use mainstay_contracts::{Address, Call, Service};
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep, timeout};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::backoff::Backoff;
use crate::frames::{AnyError, Frames, Refused};
use crate::transport::{Connections, Network, Outgoing, Reply};

/// How long a clean stop waits for the registry.
const RELEASE_LIMIT: Duration = Duration::from_secs(1);
/// How long to wait before standing up again against a later incarnation.
const SUPERSEDED_PAUSE: Duration = Duration::from_secs(30);

/// What an instance tells the registry of itself.
///
/// ```no_run
/// use mainstay::Registration;
/// use mainstay::contracts::ratings::Ratings;
///
/// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
/// let lease = Registration::new::<Ratings>("ratings-1".parse()?, "127.0.0.1:8001".parse()?).number(1).start();
/// // … serve, until asked to stop …
/// lease.release().await;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
#[must_use = "an instance is registered by start()"]
pub struct Registration {
    registry: Address,
    network: Network,
    register: Register,
}

impl Registration {
    /// An instance of service `S`, reached at `address`. The registry is the one at `127.0.0.1:8500`.
    pub fn new<S: Service>(id: InstanceId, address: Address) -> Self {
        let register = Register {
            service: S::NAME.to_owned(),
            id,
            address,
            number: None,
            zone: None,
            weight: 1,
            version: None,
            tags: Vec::new(),
            metadata: Default::default(),
            incarnation: None,
            lease: None,
        };
        let registry = std::net::SocketAddr::from(([127, 0, 0, 1], 8500)).into();
        Self { registry, network: Network::default(), register }
    }

    /// Sets the address of the registry.
    pub fn registry(mut self, address: Address) -> Self {
        self.registry = address;
        self
    }

    /// Speaks TLS with a registry at an `https` address; see [`ClientBuilder::tls`](crate::ClientBuilder::tls).
    #[cfg(feature = "tls")]
    pub fn tls(mut self, config: &tokio_rustls::rustls::ClientConfig) -> Self {
        self.network.tls = Some(crate::transport::Tls::new(config));
        self
    }

    /// Sets the instance's own number; the registry gives the lowest free one otherwise.
    pub fn number(mut self, number: u32) -> Self {
        self.register.number = Some(number);
        self
    }

    /// Sets where the instance stands.
    pub fn zone(mut self, zone: impl Into<String>) -> Self {
        self.register.zone = Some(zone.into());
        self
    }

    /// Sets what share of the calls the instance asks for, 1 to 1000: told to everybody, not used by round robin.
    pub fn weight(mut self, weight: u16) -> Self {
        self.register.weight = weight;
        self
    }

    /// Sets what version the instance runs.
    pub fn version(mut self, version: impl Into<String>) -> Self {
        self.register.version = Some(version.into());
        self
    }

    /// Says one more thing of the instance.
    pub fn metadata(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.register.metadata.insert(key.into(), value.into());
        self
    }

    /// Registers, beats, and registers again whenever the registry has been away: until the lease is released
    /// or dropped.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub fn start(self) -> Lease {
        let (held, registered) = watch::channel(false);
        let stop = CancellationToken::new();
        let register = Register { incarnation: Some(incarnation()), ..self.register };
        let keeper = Keeper {
            registry: Arc::new(Connections::new(&self.registry, &self.network)),
            address: self.registry,
            register,
            held,
            complained: false,
        };
        let task = tokio::spawn(keeper.run(stop.clone()));
        Lease { registered, stop, task }
    }
}

/// Microseconds since 1970: later starts have greater ones, on one machine at least.
fn incarnation() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_micros()).unwrap_or(u64::MAX)
}

/// An instance's presence in the registry. Dropped, it is gone at once, as if the process had crashed.
pub struct Lease {
    registered: watch::Receiver<bool>,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Lease {
    /// Is the instance registered now?
    pub fn is_registered(&self) -> bool {
        *self.registered.borrow()
    }

    /// Waits, without a bound, until the instance is registered.
    ///
    /// Cancel safe.
    pub async fn registered(&self) {
        // The keeper holds the other end for as long as this lease exists.
        let _ = self.registered.clone().wait_for(|registered| *registered).await;
    }

    /// Takes the instance off the registry's list; takes a second at most if the registry does not answer.
    pub async fn release(mut self) {
        self.stop.cancel();
        let _ = timeout(RELEASE_LIMIT, &mut self.task).await;
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl fmt::Debug for Lease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lease").field("registered", &self.is_registered()).finish_non_exhaustive()
    }
}

/// Why holding a lease ended without an error.
enum Ended {
    /// It was asked for.
    Released,
    /// The stream did.
    Stream,
    /// A later incarnation has its place.
    Superseded,
    /// The registry does not know the instance any more.
    Forgotten,
}

struct Keeper {
    registry: Arc<Connections>,
    address: Address,
    register: Register,
    held: watch::Sender<bool>,
    complained: bool,
}

impl Keeper {
    async fn run(mut self, stop: CancellationToken) {
        let mut backoff = Backoff::new();
        loop {
            let opened = stop.run_until_cancelled(self.open()).await;
            let ended = match opened {
                None => return,
                Some(Ok((frames, every))) => self.hold(frames, every, &mut backoff, &stop).await,
                Some(Err(error)) => Err(error),
            };
            self.held.send_replace(false);
            let pause = match ended {
                Ok(Ended::Released) => return,
                Ok(Ended::Stream | Ended::Forgotten) => backoff.next(),
                Ok(Ended::Superseded) => {
                    self.complain("a later incarnation is registered");
                    SUPERSEDED_PAUSE
                }
                Err(error) => {
                    self.complain(&error.to_string());
                    let conflict =
                        error.downcast_ref::<Refused>().is_some_and(|refused| refused.is(StatusCode::CONFLICT));
                    if conflict { SUPERSEDED_PAUSE } else { backoff.next() }
                }
            };
            if stop.run_until_cancelled(sleep(pause)).await.is_none() {
                return;
            }
        }
    }

    /// Registers; says how often to beat.
    async fn open(&mut self) -> Result<(Frames<HoldFrame>, Duration), AnyError> {
        let Register { service, id, .. } = &self.register;
        let body = serde_json::to_vec(&self.register)?;
        let target = HOLD.replace("{service}", service).replace("{id}", id.as_str());
        let request = Outgoing::new(http::Method::POST, Encoded { target, body: Some(body) }, true)?;
        let mut frames = Frames::open(&self.registry, &request).await?;
        let Some(HoldFrame::Held(registered)) = frames.next().await? else {
            return Err("it does not speak the registry's protocol".into());
        };
        self.welcome(&registered);
        Ok((frames, Duration::from_millis(registered.beat_every_ms.clamp(10, 60_000))))
    }

    /// Beats for as long as the registry lets it, or until it is to be released.
    async fn hold(
        &self,
        mut frames: Frames<HoldFrame>,
        every: Duration,
        backoff: &mut Backoff,
        stop: &CancellationToken,
    ) -> Result<Ended, AnyError> {
        let mut beats = interval_at(Instant::now() + every, every);
        beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                frame = frames.next() => match frame? {
                    Some(HoldFrame::Superseded { .. }) => return Ok(Ended::Superseded),
                    Some(_) => {}
                    None => return Ok(Ended::Stream),
                },
                _ = beats.tick() => {
                    // Only a lease that has stood for a while makes the next try a first one.
                    backoff.reset();
                    if !self.beat(every).await {
                        return Ok(Ended::Forgotten);
                    }
                }
                () = stop.cancelled() => {
                    let Register { service, id, incarnation, .. } = self.register.clone();
                    // While the stream still stands: closing it first would look like a crash. If this does not
                    // get through, the closing says enough.
                    let _ = self.ask(&Deregister { service, id, incarnation }, every).await;
                    return Ok(Ended::Released);
                }
            }
        }
    }

    /// False if the registry said that it does not know the instance. A registry that says nothing is noticed
    /// by its stream.
    async fn beat(&self, limit: Duration) -> bool {
        let Register { service, id, incarnation, .. } = self.register.clone();
        let reply = self.ask(&Beat { service, id, incarnation }, limit).await;
        reply.map_or(true, |reply| !reply.status.is_client_error())
    }

    async fn ask<C: Call>(&self, call: &C, limit: Duration) -> Result<Reply, AnyError> {
        let request = Outgoing::new(C::METHOD, wire::encode(call)?, true)?;
        let slot = self.registry.slot().await;
        Ok(slot.exchange(&request, Instant::now() + limit, Handle::current().id()).await?)
    }

    fn welcome(&mut self, registered: &Registered) {
        self.complained = false;
        self.held.send_replace(true);
        let Register { service, address, .. } = &self.register;
        info!(target: "mainstay::lease", "registered {service} instance {} at {address}", registered.number);
    }

    /// Once per absence of the registry.
    fn complain(&mut self, why: &str) {
        if !std::mem::replace(&mut self.complained, true) {
            let Register { service, address, .. } = &self.register;
            warn!(target: "mainstay::lease", "{service} at {address} is not registered at {}: {why}; trying on", self.address);
        }
    }
}
