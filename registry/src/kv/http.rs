//! Keys and sessions over HTTP, as Consul's clients ask for them.
//!
//! | | |
//! |---|---|
//! | `/v1/kv/{key}` | `GET` with `raw`, `recurse` or `keys` and `separator`; `PUT` with `flags` and one of `cas`, `acquire`, `release`; `DELETE` with `cas` or `recurse` |
//! | `/v1/session/create` | `PUT`; answers the id |
//! | `/v1/session/renew/{id}`, `/v1/session/destroy/{id}` | `PUT` |
//! | `/v1/session/info/{id}`, `/v1/session/list`, `/v1/session/node/{node}` | `GET` |
//!
//! What is read has an index, one more than a revision, so that it is at least 1; asked with `index`, and `wait` for how
//! long, it is answered when there is a greater one. A parameter that is not understood is refused, never ignored. Refusals
//! are plain text, as Consul's are: what all of its clients ask with is read in `consul`.
//!
//! Differences, all on the safe side: a session ends by its time or when it is destroyed, as nothing here watches nodes, so
//! that `serfHealth`, which clients name by habit, means nothing; `LockDelay` may be 0; `wait` is not stretched by chance;
//! `LockIndex` does not begin again when a key is deleted and made anew.

mod answer;
mod asked;
mod keys;
mod sessions;
mod terms;

use std::sync::Arc;

use axum::Router;
use axum::routing::{get, put};

use crate::directory::Directory;

pub(crate) fn routes() -> Router<Arc<Directory>> {
    let keys = || get(keys::get).put(keys::put).delete(keys::delete);
    Router::new()
        // A prefix may be empty.
        .route("/v1/kv/", keys())
        .route("/v1/kv/{*key}", keys())
        .route("/v1/session/create", put(sessions::create))
        .route("/v1/session/destroy/{id}", put(sessions::destroy))
        .route("/v1/session/renew/{id}", put(sessions::renew))
        .route("/v1/session/info/{id}", get(sessions::info))
        .route("/v1/session/list", get(sessions::list))
        .route("/v1/session/node/{node}", get(sessions::of_node))
}
