//! What is answered; the documentation of `quotes` says it.

use std::fmt::Display;
use std::sync::Arc;
use std::time::SystemTime;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::header::LOCATION;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Json, Response};
use axum::routing::{get, post};
use mainstay::Call as _;
use mainstay::contracts::quotes::{Counters, EVENTS, GetCounters, List, Query, RfqView, Submit, Submitted};
use mainstay::serve::{self, Refused};
use mainstay_records::Record;
use tracing::{info, warn};

use super::desk::Desk;
use super::kept::{KIND, view};
use super::{live, submit};
use crate::elsewhere::{elsewhere, health};
use crate::json;

/// The longest list.
const LIST: usize = 100;

/// Everything that the service answers.
pub(super) fn router(desk: Arc<Desk>) -> Router {
    let (query, list, counters) = (Arc::clone(&desk), Arc::clone(&desk), Arc::clone(&desk));
    let router = Router::new()
        .route(Submit::ROUTE, post(submit))
        .route(Query::ROUTE, serve::call(move |asked| self::query(Arc::clone(&query), asked)))
        .route(EVENTS, get(events))
        .route(List::ROUTE, serve::call(move |asked| self::list(Arc::clone(&list), asked)))
        .route(GetCounters::ROUTE, serve::call(move |GetCounters {}| self::counters(Arc::clone(&counters))))
        .route("/health", get(health));
    elsewhere(router).with_state(desk)
}

async fn submit(State(desk): State<Arc<Desk>>, headers: HeaderMap, body: Bytes) -> Result<Response, Refused> {
    if !json::is_json(&headers) {
        return Err(Refused::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, json::WANTED));
    }
    let ride = submit::read(&body)?;
    let rfq_id = desk.submit(ride).await.map_err(refused)?;
    info!("{rfq_id} is submitted");
    let place = Query::ROUTE.replace("{id}", &rfq_id);
    Ok((StatusCode::CREATED, [(LOCATION, place)], Json(Submitted { rfq_id })).into_response())
}

async fn query(desk: Arc<Desk>, Query { id }: Query) -> Result<RfqView, Refused> {
    let record = find(&desk, &id).await?;
    view(&record, SystemTime::now()).map_err(refused)
}

async fn events(State(desk): State<Arc<Desk>>, Path(id): Path<String>) -> Result<Response, Refused> {
    let record = find(&desk, &id).await?;
    let full = || Refused::new(StatusCode::SERVICE_UNAVAILABLE, "too many streams are open; query it instead");
    live::stream(&desk, record.id).ok_or_else(full)
}

async fn list(desk: Arc<Desk>, List { most }: List) -> Result<Vec<RfqView>, Refused> {
    if !(1..=LIST).contains(&most) {
        return Err(Refused::bad_request(format!("most: not a whole number from 1 to {LIST}")));
    }
    let now = SystemTime::now();
    let newest = desk.records.history(KIND, now, most).await.map_err(refused)?;
    newest.iter().map(|record| view(record, now).map_err(refused)).collect()
}

async fn counters(desk: Arc<Desk>) -> Result<Counters, Refused> {
    Ok(desk.tally.counters())
}

async fn find(desk: &Desk, id: &str) -> Result<Record, Refused> {
    let found = desk.records.get(id).await.map_err(refused)?.filter(|record| record.kind == KIND);
    found.ok_or_else(|| Refused::not_found(format!("no request of id {:?}", id.chars().take(64).collect::<String>())))
}

/// What is wrong with the database is not the client's fault.
fn refused(error: impl Display) -> Refused {
    warn!("{error}");
    Refused::new(StatusCode::SERVICE_UNAVAILABLE, error.to_string())
}
