//! Where a client looks for instances, and what it does differently from its contract.

use std::error::Error as StdError;
use std::fmt;
use std::marker::PhantomData;

use mainstay_contracts::registry::{BadName, check_service_name};
use mainstay_contracts::{Address, Policy, Service};
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

use super::{Client, Core};
use crate::transport::Network;

/// Builds a [`Client`].
#[derive(Debug, Clone)]
#[must_use]
pub struct ClientBuilder<S> {
    discover: Option<Discover>,
    policy: Policy,
    network: Network,
    service: PhantomData<fn() -> S>,
}

/// Where instances are looked for.
#[derive(Debug, Clone)]
pub(super) enum Discover {
    Registry(Address),
    Fixed(Vec<Address>),
}

impl<S: Service> ClientBuilder<S> {
    pub(super) fn new() -> Self {
        Self { discover: None, policy: S::POLICY, network: Network::default(), service: PhantomData }
    }

    /// Finds instances in the registry at this address.
    pub fn registry(mut self, address: Address) -> Self {
        self.discover = Some(Discover::Registry(address));
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

    /// Calls instances of a simulated network.
    #[cfg(feature = "testing")]
    pub fn network(mut self, network: crate::testing::Network) -> Self {
        self.network = Network::Simulated(network);
        self
    }

    /// Builds the client, which starts to look for instances at once.
    ///
    /// # Errors
    /// When neither [`registry`](Self::registry) nor [`fixed`](Self::fixed) was said, when the service has a
    /// name that no registry takes, or outside of a tokio runtime.
    pub fn build(self) -> Result<Client<S>, BuildError> {
        check_service_name(S::NAME).map_err(BuildError::Name)?;
        let discover = self.discover.ok_or(BuildError::Nowhere)?;
        let runtime = Handle::try_current().map_err(|_| BuildError::NoRuntime)?;
        let stop = CancellationToken::new();
        let core = Core::start(S::NAME, self.policy, &discover, self.network, runtime, stop.clone());
        Ok(Client::new(core, stop.drop_guard()))
    }
}

/// A client could not be built.
#[derive(Debug)]
#[non_exhaustive]
pub enum BuildError {
    /// It was not said where to look for instances.
    Nowhere,
    /// There is no tokio runtime here for the client's tasks.
    NoRuntime,
    /// The contract's name is not one.
    Name(BadName),
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nowhere => f.write_str("no place to look for instances: say registry(..) or fixed(..)"),
            Self::NoRuntime => f.write_str("a client must be built inside a tokio runtime"),
            Self::Name(_) => f.write_str("the contract's name cannot be registered"),
        }
    }
}

impl StdError for BuildError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            Self::Name(error) => Some(error),
            Self::Nowhere | Self::NoRuntime => None,
        }
    }
}
