//! The hub's calls: each is checked, handed to the engine, and answered with what it says.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{Method, StatusCode, Uri};
use axum::response::Json;
use axum::routing::{MethodRouter, get};
use mainstay::Call;
use mainstay::contracts::hub::{
    BATCH_LIMIT, Declare, Delivered, Publish, Published, Receive, Settle, TopicView, Topics, WAIT_LIMIT,
};
use mainstay::contracts::message::check_name;
use mainstay::serve::{self, Refused};
use serde_json::{Value, json};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use super::refused::{LATER, refused};
use crate::engine::embedded::Embedded;
use crate::engine::{Engine as _, Place};

/// Whom every call is handed to.
#[derive(Debug)]
pub(super) struct Desk {
    pub(super) engine: Arc<Embedded>,
    /// Places for those who wait until messages come.
    pub(super) waiting: Semaphore,
    /// Nobody waits any more.
    pub(super) ending: CancellationToken,
}

type Answer<T> = Result<T, Refused>;

/// Everything that a hub answers.
pub(super) fn router(desk: Arc<Desk>) -> Router {
    Router::new()
        .route("/", get(index))
        .route("/health", get(health))
        .route(Declare::ROUTE, route(&desk, declare))
        .route(Publish::ROUTE, route(&desk, publish))
        .route(Receive::ROUTE, route(&desk, receive))
        .route(Settle::ROUTE, route(&desk, settle))
        .route(Topics::ROUTE, route(&desk, topics))
        .fallback(unknown_path)
        .method_not_allowed_fallback(wrong_method)
        // The server has a limit of its own.
        .layer(DefaultBodyLimit::disable())
        .with_state(desk)
}

fn route<C, F>(desk: &Arc<Desk>, answer: fn(Arc<Desk>, C) -> F) -> MethodRouter<Arc<Desk>>
where
    C: Call,
    F: Future<Output = Answer<C::Response>> + Send + 'static,
{
    let desk = Arc::clone(desk);
    serve::call(move |call| answer(Arc::clone(&desk), call))
}

async fn declare(desk: Arc<Desk>, call: Declare) -> Answer<()> {
    desk.engine.declare(place(call.topic, call.channel)?, call.rules).await.map_err(refused)
}

async fn publish(desk: Arc<Desk>, call: Publish) -> Answer<Vec<Published>> {
    check_batch("messages", call.messages.len())?;
    desk.engine.publish(call.messages).await.map_err(refused)
}

async fn receive(desk: Arc<Desk>, call: Receive) -> Answer<Vec<Delivered>> {
    let Receive { topic, channel, most, wait_ms } = call;
    let (place, wait) = (place(topic, channel)?, Duration::from_millis(wait_ms));
    if !(1..=BATCH_LIMIT).contains(&most) {
        return Err(Refused::bad_request(format!("most is 1 to {BATCH_LIMIT}, not {most}")));
    }
    if wait > WAIT_LIMIT {
        return Err(Refused::bad_request(format!("wait_ms is at most {}, not {wait_ms}", WAIT_LIMIT.as_millis())));
    }
    let _waits = match wait.is_zero() {
        true => None,
        false => Some(desk.waiting.try_acquire().map_err(|_| crowded())?),
    };
    let received = Arc::clone(&desk.engine).receive(place, most, wait);
    tokio::select! {
        biased;
        received = received => received.map_err(refused),
        () = desk.ending.cancelled() => Ok(Vec::new()),
    }
}

async fn settle(desk: Arc<Desk>, call: Settle) -> Answer<Vec<bool>> {
    check_batch("settlements", call.settlements.len())?;
    desk.engine.settle(place(call.topic, call.channel)?, call.settlements).await.map_err(refused)
}

async fn topics(desk: Arc<Desk>, _: Topics) -> Answer<Vec<TopicView>> {
    Ok(desk.engine.topics())
}

/// A hub that cannot write is no use to anybody, and says so.
async fn health(State(desk): State<Arc<Desk>>) -> Answer<Json<Value>> {
    desk.engine.check().await.map_err(refused)?;
    Ok(Json(json!({ "status": "ok" })))
}

async fn index() -> Json<Value> {
    Json(json!({
        "service": "hub",
        "keeps": "messages: every channel of a topic gets a copy, its consumers share it, and what is not settled comes again",
        "calls": ["POST /declare", "POST /publish", "POST /receive", "POST /settle", "GET /topics", "GET /health"],
        "examples": "hub --help",
    }))
}

fn place(topic: String, channel: String) -> Answer<Place> {
    let checked = check_name("topic", &topic).and_then(|()| check_name("channel", &channel));
    checked.map_err(|bad| Refused::bad_request(bad.to_string()))?;
    Ok(Place { topic, channel })
}

fn check_batch(of: &str, length: usize) -> Answer<()> {
    match length {
        0..=BATCH_LIMIT => Ok(()),
        _ => Err(Refused::bad_request(format!("a call has at most {BATCH_LIMIT} {of}, not {length}"))),
    }
}

fn crowded() -> Refused {
    Refused::new(LATER, "as many consumers wait as may: ask again, or without waiting")
}

async fn unknown_path(uri: Uri) -> Refused {
    let path: String = uri.path().chars().take(200).collect();
    Refused::not_found(format!("there is nothing at {path}; see / for what there is"))
}

async fn wrong_method(method: Method, uri: Uri) -> Refused {
    Refused::new(StatusCode::METHOD_NOT_ALLOWED, format!("{} does not take {method}", uri.path()))
}
