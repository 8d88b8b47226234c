//! The tasks' page, and its form.

use axum::body::Bytes;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::http::header::HeaderMap;
use axum::response::{Html, IntoResponse as _, Redirect, Response};
use mainstay::contracts::tasks::{GetTask, TaskView};
use pipeline::tasks::KINDS;
use serde::Deserialize;
use tokio::join;

use super::{App, Refused, Shared, form};
use crate::state;
use crate::tab::Tab;
use crate::tasks::{AT_ONCE, Busy, Sum, What};
use crate::view;

/// `GET /tasks`: shows the history, and sends nothing.
pub(super) async fn page(State(app): Shared) -> Result<Response, Refused> {
    shown(&app, None).await
}

/// `GET /tasks/{id}`: the same, with one of them on top.
pub(super) async fn alone(State(app): Shared, id: Result<Path<String>, PathRejection>) -> Result<Response, Refused> {
    let Path(id) = id.map_err(|bad| Refused::new(bad.status(), bad.body_text()))?;
    let events = app.clients("tasks")?.history.client();
    match events.call(GetTask { id }).await {
        Ok(task) => shown(&app, Some(&task.value)).await,
        Err(error) if error.status() == Some(StatusCode::NOT_FOUND) => {
            Err(Refused::new(StatusCode::NOT_FOUND, "there is no record of such a task"))
        }
        Err(error) => Err(Refused::new(StatusCode::SERVICE_UNAVAILABLE, error.to_string())),
    }
}

/// `POST /tasks`: sends tasks and waits for their answers, then sends the browser to the page that shows them.
pub(super) async fn send(State(app): Shared, headers: HeaderMap, body: Bytes) -> Result<Response, Refused> {
    let clients = app.clients("tasks")?;
    form::only(&headers, "this address")?;
    let form: Form = match serde_urlencoded::from_bytes(&body) {
        Ok(form) => form,
        Err(bad) => {
            let page = draw(&app, None, &Sum::default(), &format!("The form could not be read: {bad}."));
            return Ok((StatusCode::BAD_REQUEST, page).into_response());
        }
    };
    let (sum, what) = match form.read() {
        Ok(read) => read,
        Err(why) => return Ok((StatusCode::BAD_REQUEST, draw(&app, None, &form.filled(), &why)).into_response()),
    };
    clients.history.open().await;
    match clients.sender.send(sum, what).await {
        Ok(()) => {
            clients.history.look().await;
            Ok(Redirect::to(Tab::Tasks.path).into_response())
        }
        Err(Busy) => {
            let reason = format!("tasks are under way, pressed for {AT_ONCE} times: send these in a moment");
            Err(Refused::new(StatusCode::SERVICE_UNAVAILABLE, reason))
        }
    }
}

async fn shown(app: &App, alone: Option<&TaskView>) -> Result<Response, Refused> {
    let clients = app.clients("tasks")?;
    join!(clients.history.look(), clients.topics.look());
    let sum = clients.sender.last().map(|sent| sent.sum.clone()).unwrap_or_default();
    Ok(draw(app, alone, &sum, ""))
}

fn draw(app: &App, alone: Option<&TaskView>, sum: &Sum, message: &str) -> Response {
    Html(view::tasks_page(&state::State::of(&app.market), alone, sum, message)).into_response()
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Form {
    first: String,
    operation: char,
    second: String,
    #[serde(default = "one")]
    send: String,
}

fn one() -> String {
    "one".to_owned()
}

impl Form {
    fn read(&self) -> Result<(Sum, What), String> {
        let first = form::line("The first operand", &self.first)?;
        let second = form::line("The second operand", &self.second)?;
        let operation = KINDS.iter().find(|operation| operation.letter == self.operation);
        let letter = operation.ok_or("There is no such operation.")?.letter;
        let what = match self.send.as_str() {
            "one" => What::One,
            "many" => What::Many,
            "alike" => What::Alike,
            _ => return Err("The form does not say how many to send.".to_owned()),
        };
        Ok((Sum { first, letter, second }, what))
    }

    /// As it was filled in, for it to be mended.
    fn filled(&self) -> Sum {
        Sum { first: self.first.clone(), letter: self.operation, second: self.second.clone() }
    }
}
