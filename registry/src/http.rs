//! The registry over HTTP: routes and types come from the contract, refusals are JSON.
//!
//! A body is read as JSON whatever its content type says, as `curl -d` says that everything is a form; where
//! the path says all there is to say, there need be none.

mod allowed;
mod asked;
mod calls;
mod denied;
mod grant;
mod openapi;
mod page;
mod prometheus;
mod rules;
mod streams;
mod told;

use std::sync::Arc;

use axum::extract::State;
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Json};
use axum::routing::{get, post};
use axum::{Router, http::Method, http::Uri};
use http::StatusCode;
use mainstay_contracts::Call;
use mainstay_contracts::registry::{
    Beat, BeatLease, Deregister, Drain, EndLease, HOLD, HOLD_LEASE, Inspect, List, Look, Register, Release, Services,
    Undrain, WATCH,
};
use serde_json::{Value, json};

pub(crate) use self::asked::body;
use self::calls::route;
pub(crate) use self::denied::Denied;
#[cfg(feature = "etcd")]
pub(crate) use self::grant::Grant;
#[cfg(feature = "etcd")]
pub(crate) use self::streams::{HOLD_NUMBER, stands};
use crate::consul;
use crate::directory::Directory;
use crate::kv;

/// Everything that is answered.
pub(crate) fn router(directory: Arc<Directory>) -> Router {
    #[cfg(feature = "etcd")]
    let inner = crate::replica::routes(&directory);
    let router = Router::new()
        .route("/", get(page::status))
        .route("/live", get(page::live))
        .route("/metrics", get(prometheus::metrics))
        .route("/v1/prometheus", get(prometheus::targets))
        .route("/v1/openapi.json", get(openapi::document))
        .route("/health", get(health))
        .route(HOLD, post(streams::hold))
        .route(HOLD_LEASE, post(streams::hold_lease))
        .route(WATCH, get(streams::watch));
    let router = route::<List>(router.route(Services::ROUTE, get(calls::services)));
    let router = route::<Deregister>(route::<Beat>(route::<Register>(router)));
    let router = route::<EndLease>(route::<BeatLease>(router));
    let router = route::<Inspect>(route::<Look>(router));
    let router = route::<Release>(route::<Undrain>(route::<Drain>(router)))
        .merge(consul::routes())
        .merge(kv::http::routes())
        .fallback(no_path)
        .method_not_allowed_fallback(no_method);
    #[cfg(feature = "etcd")]
    let router = router.layer(from_fn_with_state(Arc::clone(&directory), crate::replica::pass_on));
    let router = router.layer(from_fn_with_state(Arc::clone(&directory), allowed::allowed)).with_state(directory);
    #[cfg(feature = "etcd")]
    let router = router.merge(inner);
    router
}

async fn health(State(directory): State<Arc<Directory>>) -> Json<Value> {
    let (epoch, revision) = (directory.views().epoch(), directory.views().revision());
    let damage = directory.damage().map(|damage| &damage.what);
    let health = match directory.trouble() {
        None => json!({ "status": "ok", "epoch": epoch, "revision": revision, "damage": damage }),
        Some(why) => json!({ "status": "cannot change", "why": why, "epoch": epoch, "revision": revision }),
    };
    #[cfg(feature = "etcd")]
    let health = match directory.replicas() {
        Some(replicas) => replicas.add_to(health),
        None => health,
    };
    Json(health)
}

async fn no_path(uri: Uri) -> impl IntoResponse {
    let path: String = uri.path().chars().take(200).collect();
    Denied::new(StatusCode::NOT_FOUND, format!("there is nothing at {path}; see / for what there is"))
}

async fn no_method(method: Method, uri: Uri) -> impl IntoResponse {
    let path: String = uri.path().chars().take(200).collect();
    Denied::new(StatusCode::METHOD_NOT_ALLOWED, format!("{path} does not take {method}"))
}
