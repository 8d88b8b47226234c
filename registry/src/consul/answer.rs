//! Answers as Consul's clients read them.

use axum::response::{IntoResponse, Response};
use http::header::CONTENT_TYPE;
use http::{HeaderName, HeaderValue, StatusCode};
use serde::Serialize;

use crate::http::Denied;
use crate::roster::Refused;

const INDEX: HeaderName = HeaderName::from_static("x-consul-index");
pub(crate) const KNOWN_LEADER: HeaderName = HeaderName::from_static("x-consul-knownleader");
pub(crate) const LAST_CONTACT: HeaderName = HeaderName::from_static("x-consul-lastcontact");
const DEFAULT_POLICY: HeaderName = HeaderName::from_static("x-consul-default-acl-policy");

/// Why something is not done, as plain text.
#[derive(Debug)]
pub(crate) struct No(StatusCode, String);

impl No {
    pub(crate) fn new(status: StatusCode, reason: impl Into<String>) -> Self {
        Self(status, reason.into())
    }

    pub(crate) fn bad(reason: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, reason)
    }

    pub(crate) fn not_found(reason: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, reason)
    }
}

impl From<Denied> for No {
    fn from(denied: Denied) -> Self {
        Self(denied.status, denied.reason)
    }
}

impl From<Refused> for No {
    fn from(refused: Refused) -> Self {
        Denied::from(refused).into()
    }
}

impl IntoResponse for No {
    fn into_response(self) -> Response {
        (self.0, self.1).into_response()
    }
}

/// A value as JSON.
pub(super) fn json(value: &impl Serialize, pretty: bool) -> Result<Response, No> {
    let text = if pretty { serde_json::to_vec_pretty(value) } else { serde_json::to_vec(value) };
    let text = text.map_err(|error| No::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()))?;
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (DEFAULT_POLICY, HeaderValue::from_static("allow")),
    ];
    Ok((headers, text).into_response())
}

/// Says at which revision an answer is so. What is answered here is never old, and clients want to read that.
pub(crate) fn at(revision: u64, mut answer: Response) -> Response {
    let headers = answer.headers_mut();
    headers.insert(INDEX, index(revision).into());
    headers.insert(KNOWN_LEADER, HeaderValue::from_static("true"));
    headers.insert(LAST_CONTACT, HeaderValue::from_static("0"));
    answer
}

/// Consul's index of a revision: at least 1, also where nothing has ever happened.
pub(crate) fn index(revision: u64) -> u64 {
    revision.saturating_add(1)
}
