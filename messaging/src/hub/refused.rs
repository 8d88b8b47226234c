//! Which failure is which status, in both directions.
//!
//! A status of 5xx is the hub's own fault, and opens the breaker of whoever called. All else is an answer.

use axum::http::StatusCode;
use mainstay::ErrorKind;
use mainstay::serve::Refused;

use crate::Error;

const BAD: StatusCode = StatusCode::BAD_REQUEST;
const UNKNOWN: StatusCode = StatusCode::NOT_FOUND;
const FULL: StatusCode = StatusCode::CONFLICT;
const UNAVAILABLE: StatusCode = StatusCode::SERVICE_UNAVAILABLE;
/// Not now, and not the hub's fault.
pub(super) const LATER: StatusCode = StatusCode::TOO_MANY_REQUESTS;

/// What a hub answers.
#[expect(clippy::needless_pass_by_value, reason = "it stands behind map_err")]
pub(super) fn refused(error: Error) -> Refused {
    let status = match () {
        () if error.is_bad() => BAD,
        () if error.is_unknown() => UNKNOWN,
        () if error.is_full() => FULL,
        () => UNAVAILABLE,
    };
    Refused::new(status, error.to_string())
}

/// What a hub has answered, or why it has not.
pub(crate) fn read(error: mainstay::Error) -> Error {
    let why = error.reason().map_or_else(|| error.to_string(), str::to_owned);
    let new: fn(String) -> Error = match error.status() {
        Some(UNKNOWN) => Error::unknown,
        Some(FULL) => Error::full,
        Some(LATER | StatusCode::REQUEST_TIMEOUT) => Error::unavailable,
        Some(status) if status.is_client_error() => Error::bad,
        _ if error.kind() == ErrorKind::BadCall => Error::bad,
        _ => Error::unavailable,
    };
    new(why).because(error)
}

#[cfg(test)]
mod tests {
    use axum::response::IntoResponse as _;

    use super::*;

    #[test]
    fn only_what_the_hub_is_at_fault_for_opens_breakers() {
        for (error, status) in [
            (Error::bad("no"), 400),
            (Error::unknown("no"), 404),
            (Error::full("no"), 409),
            (Error::unavailable("no"), 503),
        ] {
            assert_eq!(refused(error).into_response().status(), status);
        }
    }
}
