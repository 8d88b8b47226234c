//! Which address does what.
//!
//! | | |
//! |---|---|
//! | `GET /` | the page, after its four calls; `?still` makes none, `?json=true` is the list of things |
//! | `POST /`, `POST /cart` | the cart's forms |
//! | `GET /auction`, `POST /auction` | the auction's page, and its form |
//! | `GET /quotes`, `POST /quotes` | the page of requests for quotes, and its form |
//! | `GET /tasks`, `POST /tasks` | the tasks' page, and its form; `GET /tasks/{id}` has one of them on top |
//! | `GET /thing/{id}` | one thing, for programs |
//! | `GET /events` | a page, live: `?for=bidders` is the one with the bidders |
//! | `GET /api/state`, `POST /api/refresh` | everything, for programs |
//! | `POST /lab/…` | the demo's buttons |
//! | `GET /assets/…` | style, script, icon |

mod api;
mod assets;
mod auction;
mod dress;
mod form;
mod lab;
mod quotes;
mod refused;
mod shop;
mod shown;
mod tasks;

use std::sync::Arc;

use axum::Router;
use axum::http::StatusCode;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{get, post};

use crate::clients::Clients;
use crate::live::Live;
use crate::market::Market;
use refused::Refused;

/// What handlers share.
#[derive(Debug, Clone)]
struct App {
    market: Market,
    live: Live,
}

impl App {
    /// The clients; the plain shop has none, and so nothing of this.
    fn clients(&self, what: &str) -> Result<&Clients, Refused> {
        let plain = || Refused::new(StatusCode::NOT_FOUND, format!("the plain shop has no {what}"));
        self.market.clients().ok_or_else(plain)
    }
}

/// All routes, for a server on this port.
pub(crate) fn router(market: Market, live: Live, port: u16) -> Router {
    let lab = lab::router().layer(from_fn_with_state(port, lab::guard));
    let lab = if market.lab().is_some() { lab } else { Router::new().fallback(lab::absent) };
    Router::new()
        .route("/", get(shop::page).post(shop::cart))
        .route("/cart", post(shop::cart))
        .route("/auction", get(auction::page).post(auction::run))
        .route("/quotes", get(quotes::page).post(quotes::ask))
        .route("/tasks", get(tasks::page).post(tasks::send))
        .route("/tasks/{id}", get(tasks::alone))
        .route("/thing/{id}", get(api::thing))
        .route("/events", get(api::events))
        .route("/api/state", get(api::state))
        .route("/api/refresh", post(api::refresh))
        .route("/assets/{name}", get(assets::asset))
        .nest("/lab", lab)
        .fallback(async || Refused::new(StatusCode::NOT_FOUND, "there is nothing at this address"))
        .method_not_allowed_fallback(async || {
            Refused::new(StatusCode::METHOD_NOT_ALLOWED, "this address does not take this method")
        })
        .layer(from_fn(dress::dress))
        .with_state(Arc::new(App { market, live }))
}

type Shared = axum::extract::State<Arc<App>>;
