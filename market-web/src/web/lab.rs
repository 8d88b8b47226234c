//! The demo's buttons.
//!
//! Each answers when what it did has taken effect: programs get the new state, browsers' forms are sent back to
//! the page. Doing what is done already is no error, so that a button may be pressed twice.

mod guard;
mod wanted;

use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, RawQuery, State};
use axum::http::StatusCode;
use axum::http::header::{self, HeaderMap};
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::post;
use axum::{Extension, Json, Router};
use tokio::time::timeout;

use super::shown::{self, Shown};
use super::{App, Refused, Shared, form};
use crate::kind::Kind;
use crate::lab::Lab;
use crate::state;
use crate::tab::Tab;

pub(super) use guard::guard;
use wanted::Wanted;

/// How long started instances may take until the client calls them.
const START: Duration = Duration::from_secs(5);

/// All routes below `/lab`.
pub(super) fn router() -> Router<Arc<App>> {
    let registry =
        Router::new().route("/registry/start", post(start_registry)).route("/registry/kill", post(kill_registry));
    Kind::ALL.into_iter().fold(registry, |router, kind| router.nest(&format!("/{}", kind.name), instances(kind)))
}

fn instances(kind: Kind) -> Router<Arc<App>> {
    Router::new()
        .route("/start", post(start))
        .route("/kill-all", post(kill_all))
        .route("/{number}/pause", post(pause))
        .route("/{number}/resume", post(resume))
        .route("/{number}/kill", post(kill))
        .layer(Extension(kind))
}

/// Where there is no lab.
pub(super) async fn absent() -> Refused {
    Refused::new(StatusCode::NOT_FOUND, "lab is only in demo")
}

async fn start(
    State(app): Shared,
    Extension(kind): Extension<Kind>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refused> {
    let wanted = Wanted::read(&query.unwrap_or_default(), if form::is_one(&headers) { &body } else { &[] })?;
    let lab = lab(&app)?;
    let (conduct, tab) = (wanted.conduct(kind)?, wanted.tab(kind)?);
    let clients = app.market.clients();
    let known = clients.map(|clients| clients.known(kind)).unwrap_or_default();
    let started = lab.start(kind, wanted.which(kind)?, &conduct, &known)?;
    // While the registry is away nobody learns of them, so there is nothing to wait for.
    if let Some(clients) = clients.filter(|_| lab.registry_runs())
        && timeout(START, clients.answering(kind, &started, &known, conduct.is_healthy())).await.is_err()
    {
        let reason = format!("started {started:?}, but they are not all up and closed after {START:?}");
        return Err(Refused::new(StatusCode::GATEWAY_TIMEOUT, reason));
    }
    Ok(done(&app, &headers, tab))
}

async fn kill_all(
    State(app): Shared,
    Extension(kind): Extension<Kind>,
    shown: Shown,
    headers: HeaderMap,
) -> Result<Response, Refused> {
    let tab = shown::read(shown, Tab::of(kind))?;
    lab(&app)?.kill_all(kind).await;
    Ok(done(&app, &headers, tab))
}

async fn pause(
    State(app): Shared,
    Extension(kind): Extension<Kind>,
    shown: Shown,
    headers: HeaderMap,
    number: Number,
) -> Result<Response, Refused> {
    let tab = shown::read(shown, Tab::of(kind))?;
    lab(&app)?.pause(kind, read(number)?).await?;
    Ok(done(&app, &headers, tab))
}

async fn resume(
    State(app): Shared,
    Extension(kind): Extension<Kind>,
    shown: Shown,
    headers: HeaderMap,
    number: Number,
) -> Result<Response, Refused> {
    let tab = shown::read(shown, Tab::of(kind))?;
    lab(&app)?.resume(kind, read(number)?).await?;
    Ok(done(&app, &headers, tab))
}

async fn kill(
    State(app): Shared,
    Extension(kind): Extension<Kind>,
    shown: Shown,
    headers: HeaderMap,
    number: Number,
) -> Result<Response, Refused> {
    let tab = shown::read(shown, Tab::of(kind))?;
    lab(&app)?.kill(kind, read(number)?).await?;
    Ok(done(&app, &headers, tab))
}

/// The registry's buttons are on all pages.
async fn start_registry(State(app): Shared, shown: Shown, headers: HeaderMap) -> Result<Response, Refused> {
    let tab = shown::read(shown, Tab::Shop)?;
    lab(&app)?.start_registry().await?;
    Ok(done(&app, &headers, tab))
}

async fn kill_registry(State(app): Shared, shown: Shown, headers: HeaderMap) -> Result<Response, Refused> {
    let tab = shown::read(shown, Tab::Shop)?;
    lab(&app)?.kill_registry().await;
    Ok(done(&app, &headers, tab))
}

type Number = Result<Path<u32>, PathRejection>;

fn read(number: Number) -> Result<u32, Refused> {
    number.map(|Path(number)| number).map_err(|_| Refused::new(StatusCode::NOT_FOUND, "an instance is a number"))
}

fn lab(app: &App) -> Result<&Lab, Refused> {
    app.market.lab().ok_or_else(|| Refused::new(StatusCode::NOT_FOUND, "lab is only in demo"))
}

fn done(app: &App, headers: &HeaderMap, tab: Tab) -> Response {
    let accept = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
    if accept.contains("text/html") {
        Redirect::to(tab.still).into_response()
    } else {
        Json(state::State::of(&app.market)).into_response()
    }
}
