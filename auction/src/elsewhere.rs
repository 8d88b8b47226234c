//! What the programs answer beside what they are for.

use axum::Router;
use axum::http::{Method, StatusCode, Uri};
use axum::response::Json;
use mainstay::serve::Refused;
use serde_json::{Value, json};

/// The same, and a reason for whoever asks elsewhere, or by another method.
pub(crate) fn elsewhere<S: Clone + Send + Sync + 'static>(router: Router<S>) -> Router<S> {
    router.fallback(unknown_path).method_not_allowed_fallback(wrong_method)
}

/// Whoever can say this is well.
pub(crate) async fn health() -> Json<Value> {
    Json(json!({ "status": "ok" }))
}

async fn unknown_path(uri: Uri) -> Refused {
    Refused::not_found(format!("nothing at {}", uri.path()))
}

async fn wrong_method(method: Method, uri: Uri) -> Refused {
    Refused::new(StatusCode::METHOD_NOT_ALLOWED, format!("{} does not take {method}", uri.path()))
}
