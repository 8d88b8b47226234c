//! The demo's buttons.
//!
//! Each answers when what it did has taken effect: programs get the new state, browsers' forms are sent back to
//! the page. Doing what is done already is no error, so that a button may be pressed twice.

mod guard;

use std::sync::Arc;
use std::time::Duration;

use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::http::header::{self, HeaderMap};
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::post;
use axum::{Json, Router};
use serde::Deserialize;
use tokio::time::timeout;

use super::{App, Refused, Shared};
use crate::lab::{INSTANCES, Lab, Which};
use crate::state;

pub(super) use guard::guard;

/// How many instances one request may start.
const AT_ONCE: u32 = 10;

/// How long started instances may take until the client calls them.
const START: Duration = Duration::from_secs(5);

/// All routes below `/lab`.
pub(super) fn router() -> Router<Arc<App>> {
    Router::new()
        .route("/ratings/start", post(start))
        .route("/ratings/kill-all", post(kill_all))
        .route("/ratings/{number}/pause", post(pause))
        .route("/ratings/{number}/resume", post(resume))
        .route("/ratings/{number}/kill", post(kill))
        .route("/registry/start", post(start_registry))
        .route("/registry/kill", post(kill_registry))
}

/// Where there is no lab.
pub(super) async fn absent() -> Refused {
    Refused::new(StatusCode::NOT_FOUND, "lab is only in demo")
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    count: Option<u32>,
    number: Option<u32>,
}

impl Wanted {
    fn which(&self) -> Result<Which, Refused> {
        let refuse = |reason: String| Err(Refused::new(StatusCode::BAD_REQUEST, reason));
        match (self.count.unwrap_or(1), self.number) {
            (_, Some(number)) if !(1..=INSTANCES).contains(&number) => {
                refuse(format!("number is from 1 to {INSTANCES}"))
            }
            (1, Some(number)) => Ok(Which::Number(number)),
            (_, Some(_)) => refuse("a number is one instance: leave count out".to_owned()),
            (count, None) if (1..=AT_ONCE).contains(&count) => Ok(Which::Count(count)),
            _ => refuse(format!("count is from 1 to {AT_ONCE}")),
        }
    }
}

async fn start(
    State(app): Shared,
    headers: HeaderMap,
    wanted: Result<Query<Wanted>, QueryRejection>,
) -> Result<Response, Refused> {
    let Query(wanted) = wanted.map_err(|bad| Refused::new(StatusCode::BAD_REQUEST, bad.body_text()))?;
    let lab = lab(&app)?;
    let numbers = lab.start(wanted.which()?)?;
    // While the registry is away nobody learns of them, so there is nothing to wait for.
    if let Some(ratings) = app.market.ratings().filter(|_| lab.registry_runs())
        && timeout(START, ratings.answering(&numbers)).await.is_err()
    {
        let reason = format!("started {numbers:?}, but they are not all up and closed after {START:?}");
        return Err(Refused::new(StatusCode::GATEWAY_TIMEOUT, reason));
    }
    Ok(done(&app, &headers))
}

async fn kill_all(State(app): Shared, headers: HeaderMap) -> Result<Response, Refused> {
    lab(&app)?.kill_all().await;
    Ok(done(&app, &headers))
}

async fn pause(State(app): Shared, headers: HeaderMap, number: Number) -> Result<Response, Refused> {
    lab(&app)?.pause(read(number)?).await?;
    Ok(done(&app, &headers))
}

async fn resume(State(app): Shared, headers: HeaderMap, number: Number) -> Result<Response, Refused> {
    lab(&app)?.resume(read(number)?).await?;
    Ok(done(&app, &headers))
}

async fn kill(State(app): Shared, headers: HeaderMap, number: Number) -> Result<Response, Refused> {
    lab(&app)?.kill(read(number)?).await?;
    Ok(done(&app, &headers))
}

async fn start_registry(State(app): Shared, headers: HeaderMap) -> Result<Response, Refused> {
    lab(&app)?.start_registry().await?;
    Ok(done(&app, &headers))
}

async fn kill_registry(State(app): Shared, headers: HeaderMap) -> Result<Response, Refused> {
    lab(&app)?.kill_registry().await;
    Ok(done(&app, &headers))
}

type Number = Result<Path<u32>, PathRejection>;

fn read(number: Number) -> Result<u32, Refused> {
    number.map(|Path(number)| number).map_err(|_| Refused::new(StatusCode::NOT_FOUND, "an instance is a number"))
}

fn lab(app: &App) -> Result<&Lab, Refused> {
    app.market.lab().ok_or_else(|| Refused::new(StatusCode::NOT_FOUND, "lab is only in demo"))
}

fn done(app: &App, headers: &HeaderMap) -> Response {
    let accept = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
    if accept.contains("text/html") {
        Redirect::to("/?still").into_response()
    } else {
        Json(state::State::of(&app.market)).into_response()
    }
}
