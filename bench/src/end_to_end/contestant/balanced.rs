//! The legacy client in tower's stack: a timeout around a buffer around a balance of two choices, which is how tower's
//! balance can be shared by tasks; and a breaker around each instance.

use std::fmt::Debug;
use std::mem;
use std::net::SocketAddr;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::uri::{Authority, Scheme};
use http::{Request, Response, Uri};
use http_body_util::Empty;
use hyper::body::Incoming;
use hyper_util::client::legacy::{self, ResponseFuture};
use mainstay::Service as _;
use mainstay::contracts::ratings::{Rating, Ratings};
use tower::balance::p2c::Balance;
use tower::buffer::Buffer;
use tower::discover::ServiceList;
use tower::load::{CompleteOnResponse, Load, PeakEwma, PendingRequests};
use tower::timeout::Timeout;
use tower::{BoxError, Layer, Service, ServiceExt};
use tower_resilience_circuitbreaker::CircuitBreakerLayer;

use super::legacy::{HttpClient, http_client};
use super::{DEADLINE, Failed, read, say};
use crate::end_to_end::work::Caller;

type Ask = Request<Empty<Bytes>>;

/// More than there are tasks, so that nobody waits for a place.
const BUFFER: usize = 1024;
/// As in tower's own example of a balance.
const FIRST_ESTIMATE: Duration = Duration::from_millis(30);
const DECAY: Duration = Duration::from_secs(10);

pub(crate) fn by_pending(addresses: &[SocketAddr], tasks: usize) -> Result<Vec<impl Caller + use<>>, Failed> {
    let pending = |service| PendingRequests::new(service, CompleteOnResponse::default());
    Ok(balanced(instances(addresses)?.map(pending).collect(), tasks))
}

pub(crate) fn by_peak_ewma(addresses: &[SocketAddr], tasks: usize) -> Result<Vec<impl Caller + use<>>, Failed> {
    let decay = DECAY.as_nanos() as f64;
    let ewma = move |service| PeakEwma::new(service, FIRST_ESTIMATE, decay, CompleteOnResponse::default());
    Ok(balanced(instances(addresses)?.map(ewma).collect(), tasks))
}

/// The breaker has the rules of Mainstay's contract: so many failures in a row, 5xx among them, and the same delay.
pub(crate) fn with_breakers(addresses: &[SocketAddr], tasks: usize) -> Result<Vec<impl Caller + use<>>, Failed> {
    let breaker = CircuitBreakerLayer::builder()
        .consecutive_failures(Ratings::POLICY.failure_limit() as usize)
        .wait_duration_in_open(Ratings::POLICY.retest_delay())
        .failure_classifier(|result: &Result<Response<Incoming>, legacy::Error>| {
            result.as_ref().map_or(true, |response| response.status().is_server_error())
        })
        .build()?;
    let pending = |service| PendingRequests::new(breaker.layer(service), CompleteOnResponse::default());
    Ok(balanced(instances(addresses)?.map(pending).collect(), tasks))
}

/// One instance: the client's calls, sent there. Who calls says the path only.
#[derive(Clone)]
struct ToInstance {
    client: HttpClient,
    authority: Authority,
}

impl Service<Ask> for ToInstance {
    type Response = Response<Incoming>;
    type Error = legacy::Error;
    type Future = ResponseFuture;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Ask) -> ResponseFuture {
        let mut parts = mem::take(request.uri_mut()).into_parts();
        parts.scheme = Some(Scheme::HTTP);
        parts.authority = Some(self.authority.clone());
        // The client refuses one without an authority, and that of a path cannot fail.
        *request.uri_mut() = Uri::from_parts(parts).unwrap_or_default();
        self.client.request(request)
    }
}

fn instances(addresses: &[SocketAddr]) -> Result<impl Iterator<Item = ToInstance> + use<>, Failed> {
    let client = http_client();
    let authorities = addresses.iter().map(|address| address.to_string().parse()).collect::<Result<Vec<_>, _>>()?;
    Ok(authorities.into_iter().map(move |authority| ToInstance { client: client.clone(), authority }))
}

fn balanced<S>(instances: Vec<S>, tasks: usize) -> Vec<impl Caller + use<S>>
where
    S: Service<Ask, Response = Response<Incoming>, Error: Into<BoxError>, Future: Send>,
    S: Load<Metric: Debug> + Send + 'static,
{
    let balance = Balance::new(ServiceList::new::<Ask>(instances));
    let service = Timeout::new(Buffer::new(balance, BUFFER), DEADLINE);
    vec![Balanced { service }; tasks]
}

#[derive(Clone)]
struct Balanced<S> {
    service: S,
}

impl<S> Caller for Balanced<S>
where
    S: Service<Ask, Response = Response<Incoming>, Error = BoxError, Future: Send> + Send + 'static,
{
    async fn call(&mut self, thing: &str) -> Result<Rating, Failed> {
        let mut request = Request::new(Empty::new());
        *request.uri_mut() = Uri::try_from(format!("/ratings/{thing}"))?;
        say(request.headers_mut());
        let response = self.service.ready().await?.call(request).await?;
        read(response).await
    }
}
