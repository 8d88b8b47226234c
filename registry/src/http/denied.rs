//! An answer that is not a success.

use axum::response::{IntoResponse, Json, Response};
use http::StatusCode;
use mainstay_contracts::Refusal;

use crate::roster::{Kind, Refused};

/// A status, and the reason for it in words.
#[derive(Debug)]
pub(crate) struct Denied {
    pub(crate) status: StatusCode,
    pub(crate) reason: String,
}

impl Denied {
    pub(crate) fn new(status: StatusCode, reason: impl Into<String>) -> Self {
        Self { status, reason: reason.into() }
    }

    pub(crate) fn bad(reason: &impl ToString) -> Self {
        Self::new(StatusCode::BAD_REQUEST, reason.to_string())
    }
}

impl From<Refused> for Denied {
    fn from(refused: Refused) -> Self {
        let status = match refused.kind {
            Kind::Invalid => StatusCode::BAD_REQUEST,
            Kind::Unknown => StatusCode::NOT_FOUND,
            Kind::Conflict => StatusCode::CONFLICT,
            Kind::Forbidden => StatusCode::FORBIDDEN,
            Kind::Full => StatusCode::SERVICE_UNAVAILABLE,
        };
        Self::new(status, refused.reason)
    }
}

impl IntoResponse for Denied {
    fn into_response(self) -> Response {
        (self.status, Json(Refusal::new(self.reason))).into_response()
    }
}
