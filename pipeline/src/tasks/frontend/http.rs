//! Tasks over HTTP; the module above says what is answered.

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderValue, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Json, Response};
use axum::routing::{get, post};
use mainstay::Call as _;
use mainstay::contracts::tasks::{DoTask, TaskAnswered, TaskResult};
use serde::Serialize;

use super::desk::{Desk, NoResult};
use crate::tasks::Request;

pub(super) fn router(desk: Desk) -> Router {
    Router::new()
        .route("/", get(async || Json("OK")))
        .route(DoTask::ROUTE, post(do_task))
        .fallback(unknown_path)
        .method_not_allowed_fallback(wrong_method)
        .with_state(desk)
}

async fn do_task(State(desk): State<Desk>, body: Bytes) -> Response {
    let request = match Request::read(&body) {
        Ok(request) => request,
        Err(bad) => return fail(StatusCode::BAD_REQUEST, bad.to_string()),
    };
    match desk.hand_in(&request).await {
        Ok((answered, result)) => {
            with(&answered, Json(TaskResult { message: "OK".to_owned(), result }).into_response())
        }
        Err(NoResult::Failed(answered, reason)) => with(&answered, fail(StatusCode::BAD_REQUEST, reason)),
        Err(NoResult::Late(reason)) => fail(StatusCode::GATEWAY_TIMEOUT, reason),
        Err(NoResult::Unsent(reason)) => fail(StatusCode::SERVICE_UNAVAILABLE, reason),
    }
}

/// Says whose record an answer has.
fn with(answered: &TaskAnswered, mut response: Response) -> Response {
    let from = if answered.from_record { "record" } else { "execution" };
    response.headers_mut().insert("task-from", HeaderValue::from_static(from));
    if let Ok(id) = HeaderValue::from_str(&answered.id) {
        response.headers_mut().insert("task-id", id);
    }
    response
}

#[derive(Serialize)]
struct Failure {
    message: &'static str,
    reason: String,
}

fn fail(status: StatusCode, reason: String) -> Response {
    (status, Json(Failure { message: "FAIL", reason })).into_response()
}

async fn unknown_path(uri: Uri) -> Response {
    fail(StatusCode::NOT_FOUND, format!("nothing at {}", uri.path()))
}

async fn wrong_method(method: Method, uri: Uri) -> Response {
    fail(StatusCode::METHOD_NOT_ALLOWED, format!("{} does not take {method}", uri.path()))
}
