//! The two calls whose answers do not end.

use std::convert::Infallible;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream};
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use mainstay_contracts::registry::{List, Register};

use super::asked::Asked;
use super::denied::Denied;
use crate::directory::Directory;

/// Registers, and takes the instance off the list when the connection closes: the server drops the stream of
/// a connection that closes, and the stream owns the lease.
pub(super) async fn hold(
    State(directory): State<Arc<Directory>>,
    Asked(call): Asked<Register>,
) -> Result<Response, Denied> {
    Ok(lines(directory.hold(call)?.lines()))
}

/// Tells a service's instances and every change. It is asked with what [`List`] is asked with.
pub(super) async fn watch(
    State(directory): State<Arc<Directory>>,
    Asked(call): Asked<List>,
) -> Result<Response, Denied> {
    let (snapshot, watch) = directory.watch(&call.service)?;
    Ok(lines(stream::iter([snapshot.line()]).chain(watch.lines())))
}

fn lines(lines: impl Stream<Item = Bytes> + Send + 'static) -> Response {
    let headers = [(CONTENT_TYPE, "application/x-ndjson"), (CACHE_CONTROL, "no-store")];
    (headers, Body::from_stream(lines.map(Ok::<_, Infallible>))).into_response()
}
