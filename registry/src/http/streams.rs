//! The calls whose answers do not end.

use std::convert::Infallible;
use std::sync::Arc;

use axum::Extension;
use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::future::ready;
use futures_util::{Stream, StreamExt};
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName};
use mainstay_contracts::registry::{HoldLease, Register, Watch};

use super::asked::Asked;
use super::denied::Denied;
use super::grant::Grant;
use crate::directory::{Directory, Hold, PassedOn};

/// The number of a lease connection, for the replica that has passed it on.
pub(crate) const HOLD_NUMBER: HeaderName = HeaderName::from_static("mainstay-hold");

/// What lets an answer go on; everybody's may, where there are no tokens.
pub(crate) type Granted = Option<Extension<Grant>>;

/// Tells whether it may still go on.
pub(crate) fn stands(granted: Granted) -> impl FnMut() -> bool + Send + 'static {
    let mut grant = granted.map(|Extension(grant)| grant);
    move || grant.as_mut().is_none_or(Grant::stands)
}

/// Registers, and takes the instance off the list when the connection closes: the server drops the stream of
/// a connection that closes, and the stream owns the lease.
pub(super) async fn hold(
    State(directory): State<Arc<Directory>>,
    passed_on: Option<Extension<PassedOn>>,
    granted: Granted,
    Asked(call): Asked<Register>,
) -> Result<Response, Denied> {
    Ok(held(directory.hold(call, passed_on.map(|Extension(passed_on)| passed_on)).await?, granted))
}

/// Opens a lease for as long as the connection stands.
pub(super) async fn hold_lease(
    State(directory): State<Arc<Directory>>,
    passed_on: Option<Extension<PassedOn>>,
    granted: Granted,
    Asked(call): Asked<HoldLease>,
) -> Result<Response, Denied> {
    Ok(held(directory.hold_lease(call, passed_on.map(|Extension(passed_on)| passed_on)).await?, granted))
}

/// Tells a service's instances and every change.
pub(super) async fn watch(
    State(directory): State<Arc<Directory>>,
    granted: Granted,
    Asked(call): Asked<Watch>,
) -> Result<Response, Denied> {
    #[cfg(feature = "etcd")]
    directory.reach_watched(&call).await?;
    let mut stands = stands(granted);
    Ok(lines(directory.watch(&call)?.take_while(move |_| ready(stands()))))
}

fn held(hold: Hold, granted: Granted) -> Response {
    let number = hold.passed_on.map(|_| hold.number);
    let mut response = lines(hold.lines(stands(granted)));
    if let Some(number) = number {
        response.headers_mut().insert(HOLD_NUMBER, number.into());
    }
    response
}

fn lines(lines: impl Stream<Item = Bytes> + Send + 'static) -> Response {
    let headers = [(CONTENT_TYPE, "application/x-ndjson"), (CACHE_CONTROL, "no-store")];
    (headers, Body::from_stream(lines.map(Ok::<_, Infallible>))).into_response()
}
