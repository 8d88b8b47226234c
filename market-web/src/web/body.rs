//! Requests' bodies: small, whole and in time, before any handler sees them.

use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use http_body_util::BodyExt as _;
use tokio::time::timeout;

use super::Refused;

/// The longest body. The longest form of ours has some forty bytes.
const LONGEST: usize = 64 * 1024;

/// How much of a longer body is read and thrown away. A client that is still sending when the connection
/// closes would never get to read why.
const SWALLOWED: usize = 16 * 1024 * 1024;

/// How long a body may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// Reads the body before the request goes on, or refuses the request.
pub(super) async fn whole(request: Request, next: Next) -> Response {
    let (head, body) = request.into_parts();
    let read = timeout(PATIENCE, read(body)).await.unwrap_or_else(|_| {
        Err(Refused::new(StatusCode::REQUEST_TIMEOUT, format!("the body took longer than {PATIENCE:?}")))
    });
    match read {
        Ok(body) => next.run(Request::from_parts(head, Body::from(body))).await,
        Err(refused) => refused.into_response(),
    }
}

async fn read(mut body: Body) -> Result<Vec<u8>, Refused> {
    let mut whole = Vec::new();
    let mut length = 0;
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| Refused::new(StatusCode::BAD_REQUEST, "the body broke off"))?;
        let Ok(data) = frame.into_data() else { continue };
        length += data.len();
        if length <= LONGEST {
            whole.extend_from_slice(&data);
        } else if length > SWALLOWED {
            break;
        }
    }
    if length > LONGEST {
        let reason = format!("the body is longer than {} KiB", LONGEST / 1024);
        return Err(Refused::new(StatusCode::PAYLOAD_TOO_LARGE, reason));
    }
    Ok(whole)
}
