//! Answers that only keys have.

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::{CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};

/// A value as it is. Whoever opens it in a browser must not have it taken for a page.
pub(super) fn raw(value: impl Into<Body>) -> Response {
    let headers = [(CONTENT_TYPE, "application/octet-stream"), (X_CONTENT_TYPE_OPTIONS, "nosniff")];
    (headers, value.into()).into_response()
}

/// What nobody has: it has an index too, so that it can be waited for.
pub(super) fn absent() -> Response {
    StatusCode::NOT_FOUND.into_response()
}
