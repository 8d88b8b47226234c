//! How the Market says no.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use mainstay::Refusal;

use crate::catalog::UnknownThing;
use crate::lab::LabRefused;

/// A status and the reason for it. As a response it is JSON; `dress` makes a page of it for people.
#[derive(Debug, Clone)]
pub(super) struct Refused {
    pub(super) status: StatusCode,
    pub(super) reason: String,
}

impl Refused {
    pub(super) fn new(status: StatusCode, reason: impl Into<String>) -> Self {
        Self { status, reason: reason.into() }
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let mut response = (self.status, Json(Refusal::new(self.reason.clone()))).into_response();
        response.extensions_mut().insert(self);
        response
    }
}

impl From<UnknownThing> for Refused {
    fn from(unknown: UnknownThing) -> Self {
        Self::new(StatusCode::NOT_FOUND, unknown.to_string())
    }
}

impl From<LabRefused> for Refused {
    fn from(refused: LabRefused) -> Self {
        let status = match &refused {
            LabRefused::Unknown(_) => StatusCode::NOT_FOUND,
            LabRefused::Killed(_)
            | LabRefused::Runs(_)
            | LabRefused::Taken(_)
            | LabRefused::Full(_)
            | LabRefused::Busy(_) => StatusCode::CONFLICT,
            LabRefused::NoRegistry => StatusCode::GATEWAY_TIMEOUT,
            LabRefused::System(_) => StatusCode::SERVICE_UNAVAILABLE,
        };
        let cause = std::error::Error::source(&refused).map(|cause| format!(": {cause}")).unwrap_or_default();
        Self::new(status, format!("{refused}{cause}"))
    }
}
