//! A client of one service.

mod builder;
mod core;

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use mainstay_contracts::{Call, Policy, Service};
use tokio::time::Instant;
use tokio_util::sync::DropGuard;

pub use self::builder::{BuildError, ClientBuilder};
pub(crate) use self::core::Core;
use crate::call::{self, Fetched};
use crate::error::Error;
use crate::observe::{Events, Snapshot};

/// Calls the instances of service `S`, wherever they are.
///
/// Clones are cheap and share everything; the last one to go ends the client's tasks.
///
/// Those tasks look for instances, retest and probe them, in the tokio runtime where the client was built. A call may come
/// from another runtime: it uses connections that were made there.
///
/// ```no_run
/// use mainstay::Client;
/// use mainstay::contracts::ratings::{GetRating, Ratings};
///
/// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
/// let client = Client::<Ratings>::builder().registry("http://127.0.0.1:8500".parse()?).build()?;
/// let rating = client.call(GetRating::new("camera")).await?;
/// println!("{} ({})", rating.value.rating, if rating.is_live() { "live" } else { "last good" });
/// # Ok(())
/// # }
/// ```
///
/// A call of another service does not compile:
///
/// ```compile_fail
/// # use mainstay::{Client, contracts::{ratings::Ratings, registry::Services}};
/// # async fn run(client: Client<Ratings>) {
/// let _ = client.call(Services {}).await;
/// # }
/// ```
pub struct Client<S> {
    core: Arc<Core>,
    _stops: Arc<DropGuard>,
    service: PhantomData<fn() -> S>,
}

impl<S: Service> Client<S> {
    /// Starts with the contract's policy and nowhere to look: say [`registry`](ClientBuilder::registry) or
    /// [`fixed`](ClientBuilder::fixed).
    pub fn builder() -> ClientBuilder<S> {
        ClientBuilder::new()
    }

    fn new(core: Arc<Core>, stops: DropGuard) -> Self {
        Self { core, _stops: Arc::new(stops), service: PhantomData }
    }

    /// Calls one instance, or the next ones if it cannot be reached, within the policy's
    /// [deadline](Policy::deadline). Answers with the last good value if there is no live one.
    ///
    /// Cancel safe: a dropped call counts as nothing. One such attempt per instance goes on in the background
    /// until the policy's timeout, so that a hung instance is found out by impatient callers too.
    ///
    /// # Errors
    /// When the service rejects the call (4xx), or when there is neither a live answer nor a last good one.
    pub async fn call<C: Call<Service = S>>(&self, call: C) -> Result<Fetched<C::Response>, Error> {
        let now = Instant::now();
        call::call(&self.core, &call, now, now + self.core.policy.deadline()).await
    }

    /// As [`call`](Client::call), with a deadline of the caller's own in place of the policy's.
    ///
    /// # Errors
    /// As [`call`](Client::call).
    pub async fn call_before<C>(&self, call: C, deadline: Instant) -> Result<Fetched<C::Response>, Error>
    where
        C: Call<Service = S>,
    {
        call::call(&self.core, &call, Instant::now(), deadline).await
    }

    pub(crate) fn core(&self) -> &Arc<Core> {
        &self.core
    }

    /// How this client behaves.
    pub fn policy(&self) -> &Policy {
        &self.core.policy
    }

    /// Everything this client knows now. Reading changes nothing.
    pub fn snapshot(&self) -> Snapshot {
        self.core.snapshot()
    }

    /// What happens from now on. Reading changes nothing.
    pub fn events(&self) -> Events {
        self.core.events()
    }
}

impl<S> Clone for Client<S> {
    fn clone(&self) -> Self {
        Self { core: Arc::clone(&self.core), _stops: Arc::clone(&self._stops), service: PhantomData }
    }
}

impl<S: Service> fmt::Debug for Client<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("service", &S::NAME).field("policy", &self.core.policy).finish_non_exhaustive()
    }
}
