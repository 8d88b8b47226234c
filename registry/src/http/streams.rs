//! The calls whose answers do not end.

use std::convert::Infallible;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Extension, State};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName};
use mainstay_contracts::registry::{HoldLease, Register, Watch};

use super::asked::Asked;
use super::denied::Denied;
use crate::directory::{Directory, Hold, PassedOn};

/// The number of a lease connection, for the replica that has passed it on.
pub(crate) const HOLD_NUMBER: HeaderName = HeaderName::from_static("mainstay-hold");

/// Registers, and takes the instance off the list when the connection closes: the server drops the stream of
/// a connection that closes, and the stream owns the lease.
pub(super) async fn hold(
    State(directory): State<Arc<Directory>>,
    passed_on: Option<Extension<PassedOn>>,
    Asked(call): Asked<Register>,
) -> Result<Response, Denied> {
    Ok(held(directory.hold(call, passed_on.map(|Extension(passed_on)| passed_on)).await?))
}

/// Opens a lease for as long as the connection stands.
pub(super) async fn hold_lease(
    State(directory): State<Arc<Directory>>,
    passed_on: Option<Extension<PassedOn>>,
    Asked(call): Asked<HoldLease>,
) -> Result<Response, Denied> {
    Ok(held(directory.hold_lease(call, passed_on.map(|Extension(passed_on)| passed_on)).await?))
}

/// Tells a service's instances and every change.
pub(super) async fn watch(
    State(directory): State<Arc<Directory>>,
    Asked(call): Asked<Watch>,
) -> Result<Response, Denied> {
    #[cfg(feature = "etcd")]
    directory.reach(&call).await?;
    Ok(lines(directory.watch(&call)?))
}

fn held(hold: Hold) -> Response {
    let number = hold.passed_on.map(|_| hold.number);
    let mut response = lines(hold.lines());
    if let Some(number) = number {
        response.headers_mut().insert(HOLD_NUMBER, number.into());
    }
    response
}

fn lines(lines: impl Stream<Item = Bytes> + Send + 'static) -> Response {
    let headers = [(CONTENT_TYPE, "application/x-ndjson"), (CACHE_CONTROL, "no-store")];
    (headers, Body::from_stream(lines.map(Ok::<_, Infallible>))).into_response()
}
