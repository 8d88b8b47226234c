//! What there is, for programs that read OpenAPI.

use axum::response::IntoResponse;
use http::header::CONTENT_TYPE;

/// Written by hand, as derived ones say types and not meanings; a test holds it to what is answered.
const DOCUMENT: &str = include_str!("../../openapi.json");

/// The native API, described.
pub(super) async fn document() -> impl IntoResponse {
    ([(CONTENT_TYPE, "application/json")], DOCUMENT)
}
