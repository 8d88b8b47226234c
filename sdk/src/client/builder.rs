//! Where a client looks for instances, and what it does differently from its contract.

use std::error::Error as StdError;
use std::fmt;
use std::marker::PhantomData;
use std::path::PathBuf;

use mainstay_contracts::registry::{BadName, check_service_name};
use mainstay_contracts::{Address, Policy, Service};
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

use super::{Client, Core};
use crate::discover::Memory;
use crate::registries::{Registries, Token, Unusable};
use crate::transport::Network;

/// Builds a [`Client`].
#[derive(Debug, Clone)]
#[must_use]
pub struct ClientBuilder<S> {
    discover: Option<Discover>,
    policy: Policy,
    network: Network,
    token: Option<Token>,
    remember: Option<PathBuf>,
    service: PhantomData<fn() -> S>,
}

/// What a client begins with.
pub(super) struct Setup {
    pub(super) policy: Policy,
    pub(super) network: Network,
    pub(super) registries: Option<Registries>,
    pub(super) fixed: Option<Vec<Address>>,
    pub(super) memory: Option<Memory>,
}

/// Where instances are looked for.
#[derive(Debug, Clone)]
enum Discover {
    Registries(Vec<Address>),
    Fixed(Vec<Address>),
}

impl Discover {
    fn addresses(&self) -> &[Address] {
        match self {
            Self::Registries(addresses) | Self::Fixed(addresses) => addresses,
        }
    }
}

impl<S: Service> ClientBuilder<S> {
    pub(super) fn new() -> Self {
        let (discover, token, remember) = (None, None, None);
        Self { discover, policy: S::POLICY, network: Network::default(), token, remember, service: PhantomData }
    }

    /// Finds instances in the registry at this address.
    pub fn registry(self, address: Address) -> Self {
        self.registries([address])
    }

    /// Finds instances in the registries at these addresses, 1 to 16 of them, which know the same.
    ///
    /// One is used at a time, to begin with any; when it fails, the next one, which goes on where the other ended.
    pub fn registries(mut self, addresses: impl IntoIterator<Item = Address>) -> Self {
        self.discover = Some(Discover::Registries(addresses.into_iter().collect()));
        self
    }

    /// Shows this token to the registry, and to nobody else.
    pub fn registry_token(mut self, token: impl AsRef<str>) -> Self {
        self.token = Some(Token::new(token.as_ref()));
        self
    }

    /// Remembers who was there last in `<directory>/<service>.json`, so that a process can start while every registry
    /// is away.
    ///
    /// Whoever is remembered is there at once, as [silent](mainstay_contracts::registry::Presence::Silent), and may be
    /// called; [`RegistryView::age`](crate::RegistryView::age) says how long ago it was known. What a registry lists
    /// settles who is really there.
    ///
    /// The file is read when the client is built, and written a second after a change at the earliest, by a thread for
    /// what blocks. Several processes may have the same directory: whoever writes last, is read. A file that is damaged
    /// or of something else is ignored, which the log says. With [`fixed`](Self::fixed) instances there is nothing to
    /// remember.
    pub fn remember(mut self, directory: impl Into<PathBuf>) -> Self {
        self.remember = Some(directory.into());
        self
    }

    /// Knows the instances from the start: at these addresses, numbered from 1.
    pub fn fixed(mut self, addresses: impl IntoIterator<Item = Address>) -> Self {
        self.discover = Some(Discover::Fixed(addresses.into_iter().collect()));
        self
    }

    /// Behaves by this policy and not by the contract's.
    pub fn policy(mut self, policy: Policy) -> Self {
        self.policy = policy;
        self
    }

    /// Speaks TLS with whoever is at an `https` address: instances, and the registry.
    ///
    /// The configuration is the application's, all of it: the cryptography (rustls's `CryptoProvider`), the roots that
    /// an instance's certificate must come from, and a client certificate where instances ask for one. A certificate
    /// must name the address's host, which may be an IP address. Which protocol is spoken (ALPN) is the policy's: what
    /// the configuration says of it does not count.
    ///
    /// A handshake that fails is a refused connection, with rustls's reason in the error's source. It takes from the
    /// attempt's timeout.
    ///
    /// ```no_run
    /// # use std::sync::Arc;
    /// # use mainstay::{BuildError, Client, contracts::ratings::Ratings};
    /// # use tokio_rustls::rustls::{ClientConfig, RootCertStore, Error, crypto::CryptoProvider};
    /// // The provider: `rustls::crypto::ring::default_provider()`, for instance; the roots: your own authority's,
    /// // or those of the crate `rustls-native-certs`.
    /// fn config(provider: CryptoProvider, roots: RootCertStore) -> Result<ClientConfig, Error> {
    ///     let config = ClientConfig::builder_with_provider(Arc::new(provider)).with_safe_default_protocol_versions()?;
    ///     // For mTLS: `with_client_auth_cert(chain, key)`.
    ///     Ok(config.with_root_certificates(roots).with_no_client_auth())
    /// }
    ///
    /// fn client(config: &ClientConfig) -> Result<Client<Ratings>, BuildError> {
    ///     let address = "https://ratings.example:8443".parse().expect("an address");
    ///     Client::builder().fixed([address]).tls(config).build()
    /// }
    /// ```
    #[cfg(feature = "tls")]
    pub fn tls(mut self, config: &tokio_rustls::rustls::ClientConfig) -> Self {
        self.network.tls = Some(crate::transport::Tls::new(config));
        self
    }

    /// Calls instances of a simulated network.
    #[cfg(feature = "testing")]
    pub fn network(mut self, network: crate::testing::Network) -> Self {
        self.network.simulated = Some(network);
        self
    }

    /// Builds the client, which starts to look for instances at once.
    ///
    /// # Errors
    /// When neither [`registry`](Self::registry) nor [`fixed`](Self::fixed) was said, when none or more than 16
    /// [`registries`](Self::registries) were, when the registry's token cannot be sent, when one of their addresses is
    /// `https` and no TLS was said, when the policy asks for HTTP/2 and the feature is not there, when the service has
    /// a name that no registry takes, or outside of a tokio runtime.
    pub fn build(mut self) -> Result<Client<S>, BuildError> {
        check_service_name(S::NAME).map_err(BuildError::Name)?;
        let discover = self.discover.ok_or(BuildError::Nowhere)?;
        if self.policy.http2() && !cfg!(feature = "http2") {
            return Err(BuildError::NoHttp2);
        }
        self.network.http2 = self.policy.http2();
        if let Some(address) = discover.addresses().iter().find(|address| !self.network.reaches(address)) {
            return Err(BuildError::NoTls(address.clone()));
        }
        let runtime = Handle::try_current().map_err(|_| BuildError::NoRuntime)?;
        let (policy, network) = (self.policy, self.network);
        let (registries, fixed) = match discover {
            Discover::Registries(addresses) => (Some(Registries::new(&addresses, &network, self.token)?), None),
            Discover::Fixed(addresses) => (None, Some(addresses)),
        };
        let directory = self.remember.filter(|_| registries.is_some());
        let memory = directory.map(|directory| Memory::new(&directory, S::NAME));
        let stop = CancellationToken::new();
        let setup = Setup { policy, network, registries, fixed, memory };
        let core = Core::start(S::NAME, setup, runtime, stop.clone());
        Ok(Client::new(core, stop.drop_guard()))
    }
}

/// A client could not be built.
#[derive(Debug)]
#[non_exhaustive]
pub enum BuildError {
    /// It was not said where to look for instances.
    Nowhere,
    /// So many registries were named, and not 1 to 16.
    Registries(usize),
    /// The token for the registry is empty, or has something else in it than visible characters of ASCII.
    Token,
    /// There is no tokio runtime here for the client's tasks.
    NoRuntime,
    /// This address is `https`, and the client has no TLS: the feature `tls`, and `tls(..)`.
    NoTls(Address),
    /// The policy asks for HTTP/2, and the client is built without the feature `http2`.
    NoHttp2,
    /// The contract's name is not one.
    Name(BadName),
}

impl From<Unusable> for BuildError {
    fn from(unusable: Unusable) -> Self {
        match unusable {
            Unusable::Count(named) => Self::Registries(named),
            Unusable::Token => Self::Token,
        }
    }
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nowhere => f.write_str("no place to look for instances: say registry(..) or fixed(..)"),
            Self::Registries(named) => fmt::Display::fmt(&Unusable::Count(*named), f),
            Self::Token => fmt::Display::fmt(&Unusable::Token, f),
            Self::NoRuntime => f.write_str("a client must be built inside a tokio runtime"),
            Self::NoTls(address) => write!(f, "no TLS for {address}: turn on the feature tls, and say tls(..)"),
            Self::NoHttp2 => f.write_str("the policy asks for HTTP/2: turn on the feature http2"),
            Self::Name(_) => f.write_str("the contract's name cannot be registered"),
        }
    }
}

impl StdError for BuildError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            Self::Name(error) => Some(error),
            Self::Nowhere | Self::Registries(_) | Self::Token | Self::NoRuntime | Self::NoTls(_) | Self::NoHttp2 => {
                None
            }
        }
    }
}
