//! What replicas ask one another.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Path, Query, Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Json, Response};
use axum::routing::post;
use http::StatusCode;
use serde::{Deserialize, Serialize};

use super::link::SECRET;
use crate::directory::Directory;
use crate::http::Denied;

/// Routes for replicas only.
pub(crate) fn routes(directory: &Arc<Directory>) -> Router {
    Router::new()
        .route("/replica/told", post(told))
        .route("/replica/gone/{hold}", post(gone))
        .layer(from_fn_with_state(Arc::clone(directory), replicas_only))
        .with_state(Arc::clone(directory))
}

async fn replicas_only(State(directory): State<Arc<Directory>>, request: Request, next: Next) -> Response {
    match directory.replicas() {
        Some(replicas) if replicas.link.knows(request.headers().get(SECRET)) => next.run(request).await,
        _ => Denied::new(StatusCode::FORBIDDEN, "this is what replicas ask one another").into_response(),
    }
}

/// How many of those who watch have been told.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Told {
    pub(super) told: usize,
    pub(super) untold: usize,
}

#[derive(Debug, Deserialize)]
struct Asked {
    service: String,
    revision: u64,
    within_ms: u64,
}

impl Told {
    pub(super) fn target(service: &str, revision: u64, within: Duration) -> String {
        format!("/replica/told?service={service}&revision={revision}&within_ms={}", within.as_millis())
    }
}

/// Waits until those who watch a service here have been told up to a revision.
async fn told(State(directory): State<Arc<Directory>>, Query(asked): Query<Asked>) -> Json<Told> {
    let Asked { service, revision, within_ms } = asked;
    let (told, untold) = directory.until_told(&service, revision, Duration::from_millis(within_ms)).await;
    Json(Told { told, untold })
}

/// The client of a lease connection that was passed on has gone, and not only the replica in between.
async fn gone(State(directory): State<Arc<Directory>>, Path(hold): Path<u64>) -> Json<()> {
    directory.client_gone(hold);
    Json(())
}
