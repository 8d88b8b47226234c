//! The calls whose answers do not end.

use std::convert::Infallible;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use mainstay_contracts::registry::{HoldLease, Register, Watch};

use super::asked::Asked;
use super::denied::Denied;
use crate::directory::Directory;

/// Registers, and takes the instance off the list when the connection closes: the server drops the stream of
/// a connection that closes, and the stream owns the lease.
pub(super) async fn hold(
    State(directory): State<Arc<Directory>>,
    Asked(call): Asked<Register>,
) -> Result<Response, Denied> {
    Ok(lines(directory.hold(call).await?.lines()))
}

/// Opens a lease for as long as the connection stands.
pub(super) async fn hold_lease(
    State(directory): State<Arc<Directory>>,
    Asked(call): Asked<HoldLease>,
) -> Result<Response, Denied> {
    Ok(lines(directory.hold_lease(call).await?.lines()))
}

/// Tells a service's instances and every change.
pub(super) async fn watch(
    State(directory): State<Arc<Directory>>,
    Asked(call): Asked<Watch>,
) -> Result<Response, Denied> {
    Ok(lines(directory.watch(&call)?))
}

fn lines(lines: impl Stream<Item = Bytes> + Send + 'static) -> Response {
    let headers = [(CONTENT_TYPE, "application/x-ndjson"), (CACHE_CONTROL, "no-store")];
    (headers, Body::from_stream(lines.map(Ok::<_, Infallible>))).into_response()
}
