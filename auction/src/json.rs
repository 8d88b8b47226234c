//! Whether a request says that it is JSON.

use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;

/// Why a request is refused that does not.
pub(crate) const WANTED: &str = "the content type must be application/json";

/// Does it say so, by its own name or as some `…+json`, with whatever parameters?
pub(crate) fn is_json(headers: &HeaderMap) -> bool {
    let given = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let name = given.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let suffixed = name.strip_suffix("+json").and_then(|name| name.split_once('/'));
    name == "application/json" || suffixed.is_some_and(|(kind, name)| !kind.is_empty() && !name.is_empty())
}
