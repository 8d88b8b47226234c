//! The ratings themselves.

use axum::Router;
use axum::http::{Method, StatusCode, Uri};
use axum::response::Json;
use axum::routing::get;
use mainstay::Call;
use mainstay::contracts::ratings::{GetRating, Rating, Stars};
use mainstay::serve::{self, Refused};
use serde_json::{Value, json};

/// How well people like each thing. The market sells the same four.
const RATINGS: [(&str, f64); 4] = [("basketball", 2.1), ("briefcase", 3.5), ("camera", 4.5), ("football", 2.2)];

/// Everything that one instance answers.
pub(crate) fn router() -> Router {
    Router::new()
        .route(GetRating::ROUTE, serve::call(rate))
        .route("/health", get(health))
        .fallback(unknown_path)
        .method_not_allowed_fallback(wrong_method)
}

async fn rate(call: GetRating) -> Result<Rating, Refused> {
    let found = RATINGS.iter().find(|(thing, _)| *thing == call.thing);
    match found.and_then(|(_, stars)| Stars::new(*stars)) {
        Some(rating) => Ok(Rating { thing: call.thing, rating }),
        None => Err(Refused::not_found(format!("no rating of {}", call.thing))),
    }
}

async fn health() -> Json<Value> {
    Json(json!({ "status": "ok" }))
}

async fn unknown_path(uri: Uri) -> Refused {
    Refused::not_found(format!("nothing at {}", uri.path()))
}

async fn wrong_method(method: Method, uri: Uri) -> Refused {
    Refused::new(StatusCode::METHOD_NOT_ALLOWED, format!("{} does not take {method}", uri.path()))
}
