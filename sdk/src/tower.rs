//! A client at the edge of a `tower` stack.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use mainstay_contracts::{Call, Service};

use crate::{Client, Error, Fetched};

/// A [`Client`] as a `tower` service, for every call of its contract.
///
/// It is always ready: whom to ask, and whether anybody can be asked, is decided by the call itself.
///
/// ```no_run
/// use mainstay::Client;
/// use mainstay::contracts::ratings::{GetRating, Ratings};
/// use mainstay::tower::ClientService;
/// use tower_service::Service;
///
/// # async fn run(client: Client<Ratings>) -> Result<(), mainstay::Error> {
/// let mut service = ClientService::new(client);
/// let rating = service.call(GetRating::new("camera")).await?;
/// # Ok(())
/// # }
/// ```
pub struct ClientService<S>(Client<S>);

impl<S> ClientService<S> {
    /// Wraps a client.
    pub fn new(client: Client<S>) -> Self {
        Self(client)
    }
}

impl<S: Service, C: Call<Service = S>> tower_service::Service<C> for ClientService<S> {
    type Response = Fetched<C::Response>;
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Error>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, call: C) -> Self::Future {
        let client = self.0.clone();
        Box::pin(async move { client.call(call).await })
    }
}

impl<S> Clone for ClientService<S> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<S: Service> fmt::Debug for ClientService<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ClientService").field(&self.0).finish()
    }
}
