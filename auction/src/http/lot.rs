//! What is to be sold, as the request's body says it.

use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};
use mainstay::contracts::bidding::Ask;
use serde_json::Value;

use super::refused::Refused;

/// Takes JSON, under its own name or as some `…+json`, with whatever parameters.
pub(super) fn check_content_type(headers: &HeaderMap) -> Result<(), Refused> {
    let given = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let name = given.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let suffixed = name.strip_suffix("+json").and_then(|name| name.split_once('/'));
    if name == "application/json" || suffixed.is_some_and(|(kind, name)| !kind.is_empty() && !name.is_empty()) {
        return Ok(());
    }
    Err(Refused::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "the content type must be application/json"))
}

/// The lot: an object with texts `Item` and `Condition`; whatever else is in it, others may care about.
pub(super) fn read(body: &[u8]) -> Result<Ask, Refused> {
    let payload: Value =
        serde_json::from_slice(body).map_err(|_| Refused::bad_request("Invalid payload - Not a valid JSON payload"))?;
    let text = |name| payload.get(name)?.as_str().filter(|text| !text.trim().is_empty());
    match (text("Item"), text("Condition")) {
        (Some(item), Some(condition)) => Ok(Ask::new(item, condition)),
        _ => Err(Refused::bad_request("Bad Request - Invalid Payload")),
    }
}
