//! Answers as Consul's clients read them.

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use serde::Serialize;

use super::asked::Asked;
use crate::consul::index;
use crate::http::Denied;
use crate::roster::Refused;

const INDEX: HeaderName = HeaderName::from_static("x-consul-index");
const KNOWN_LEADER: HeaderName = HeaderName::from_static("x-consul-knownleader");
const LAST_CONTACT: HeaderName = HeaderName::from_static("x-consul-lastcontact");

/// A refusal, as plain text.
#[derive(Debug)]
pub(super) struct Plain(Denied);

impl Plain {
    pub(super) fn new(status: StatusCode, reason: impl Into<String>) -> Self {
        Self(Denied::new(status, reason))
    }

    pub(super) fn bad(reason: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, reason)
    }
}

impl From<Denied> for Plain {
    fn from(denied: Denied) -> Self {
        Self(denied)
    }
}

impl From<Refused> for Plain {
    fn from(refused: Refused) -> Self {
        Self(refused.into())
    }
}

impl IntoResponse for Plain {
    fn into_response(self) -> Response {
        (self.0.status, self.0.reason).into_response()
    }
}

/// A value as JSON.
pub(super) fn json(value: &impl Serialize, asked: &Asked) -> Response {
    let text = if asked.pretty() { serde_json::to_vec_pretty(value) } else { serde_json::to_vec(value) };
    match text {
        Ok(text) => ([(CONTENT_TYPE, "application/json")], text).into_response(),
        Err(error) => Plain::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

/// A value as it is. Whoever opens it in a browser must not have it taken for a page.
pub(super) fn raw(value: impl Into<Body>) -> Response {
    let headers = [(CONTENT_TYPE, "application/octet-stream"), (X_CONTENT_TYPE_OPTIONS, "nosniff")];
    (headers, value.into()).into_response()
}

/// What nobody has: it has an index too, so that it can be waited for.
pub(super) fn absent() -> Response {
    StatusCode::NOT_FOUND.into_response()
}

/// Says at which revision an answer is so. What is answered here is never old, and clients want to read that.
pub(super) fn at(revision: u64, mut answer: Response) -> Response {
    let headers: &mut HeaderMap = answer.headers_mut();
    headers.insert(INDEX, index(revision).into());
    headers.insert(KNOWN_LEADER, HeaderValue::from_static("true"));
    headers.insert(LAST_CONTACT, HeaderValue::from_static("0"));
    answer
}
