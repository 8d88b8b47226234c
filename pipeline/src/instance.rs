//! An instance: in the registry, with a health path, for as long as it answers.

use std::future::Future;
use std::io;

use axum::Router;
use axum::http::{Method, StatusCode, Uri};
use axum::response::Json;
use axum::routing::get;
use mainstay::serve::{self, Limits, Refused};
use mainstay::{Address, Registration, Service};
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// Who it is.
#[derive(Debug, Clone)]
pub(crate) struct Who {
    /// The same across restarts, such as `backend-2`.
    pub(crate) id: String,
    /// Its own number, if it has one.
    pub(crate) number: Option<u32>,
    /// Where the registry is.
    pub(crate) registry: Address,
}

/// Serves a router, registered as an instance of `S`, until the shutdown: then the instance leaves the registry first,
/// and finishes what it has begun.
pub(crate) async fn serve<S: Service>(
    who: Who,
    listener: TcpListener,
    router: Router,
    shutdown: impl Future<Output = ()>,
) -> io::Result<()> {
    let address = Address::from(listener.local_addr()?);
    let id = who.id.parse().map_err(io::Error::other)?;
    let mut registration = Registration::new::<S>(id, address).registry(who.registry);
    if let Some(number) = who.number {
        registration = registration.number(number);
    }
    let lease = registration.start();
    // Clients that have not yet heard that it leaves still call; they are answered until the registry knows.
    let left = async {
        shutdown.await;
        lease.release().await;
    };
    serve::run(listener, router.route("/health", get(health)), Limits::default(), left).await;
    Ok(())
}

/// A router that refuses what it does not know, in the words that every service has.
pub(crate) fn router<S: Clone + Send + Sync + 'static>() -> Router<S> {
    Router::new().fallback(unknown_path).method_not_allowed_fallback(wrong_method)
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
