//! Being there: an instance stays known for as long as it lives, whatever becomes of the registry.
//!
//! The lease is a connection that stands open: when the process dies, the registry sees it close. A process
//! that is stopped (SIGSTOP) keeps its connection, so it beats as well. One lease does for all that a process has to
//! register, and keeps its name for as long as the process lives: a registry that was away finds it again.

mod entries;
mod keeper;
mod lease;

use std::sync::Arc;

use mainstay_contracts::registry::{InstanceId, LeaseId, Register};
use mainstay_contracts::{Address, Service};
use tokio_util::sync::CancellationToken;
use tracing::warn;

use self::entries::Entries;
use self::keeper::Keeper;
pub use self::lease::Lease;
use crate::frames::Complaints;
use crate::registries::{Registries, Token};
use crate::transport::Network;

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
    registries: Vec<Address>,
    token: Option<Token>,
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
        Self { registries: vec![registry], token: None, network: Network::default(), register }
    }

    /// Sets the address of the registry.
    pub fn registry(self, address: Address) -> Self {
        self.registries([address])
    }

    /// Sets the addresses of the registries, 1 to 16 of them, which know the same. One is used at a time, to begin with
    /// any; when it fails, the next one. With none or too many nothing is registered, and the log says so.
    pub fn registries(mut self, addresses: impl IntoIterator<Item = Address>) -> Self {
        self.registries = addresses.into_iter().collect();
        self
    }

    /// Speaks TLS with a registry at an `https` address; see [`ClientBuilder::tls`](crate::ClientBuilder::tls).
    #[cfg(feature = "tls")]
    pub fn tls(mut self, config: &tokio_rustls::rustls::ClientConfig) -> Self {
        self.network.tls = Some(crate::transport::Tls::new(config));
        self
    }

    /// Shows this token to the registry. With one that cannot be sent nothing is registered, and the log says so.
    pub fn token(mut self, token: impl AsRef<str>) -> Self {
        self.token = Some(Token::new(token.as_ref()));
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

    /// Reaches the registry over a simulated network.
    #[cfg(feature = "testing")]
    pub fn network(mut self, network: crate::testing::Network) -> Self {
        self.network.simulated = Some(network);
        self
    }

    /// Registers, beats, and registers again whenever the registry has been away: until the lease is released
    /// or dropped. [`Lease::register`] adds further instances of the same process.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub fn start(self) -> Lease {
        let id = random();
        let entries = Arc::new(Entries::new());
        entries.put(lease::with(self.register, &id));
        let stop = CancellationToken::new();
        let task = match Registries::new(&self.registries, &self.network, self.token) {
            Ok(registries) => {
                let (lease, entries, complaints) = (id.clone(), Arc::clone(&entries), Complaints::default());
                tokio::spawn(Keeper { registries, lease, entries, complaints }.run(stop.clone()))
            }
            Err(unusable) => {
                warn!(target: "mainstay::lease", "{} is not registered: {unusable}", entries.describe());
                tokio::spawn(stop.clone().cancelled_owned())
            }
        };
        Lease { id, entries, stop, task }
    }
}

/// A lease that nobody else has.
fn random() -> LeaseId {
    format!("{:032x}", fastrand::u128(..)).parse().expect("32 digits are a name")
}
