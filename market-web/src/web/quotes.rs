//! The page of requests for quotes, and its form.

use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::HeaderMap;
use axum::response::{Html, IntoResponse as _, Redirect, Response};
use mainstay::contracts::quotes::Submit;
use serde::Deserialize;
use tokio::join;

use super::{App, Refused, Shared, form};
use crate::state;
use crate::tab::Tab;
use crate::view::{self, Ride};

/// `GET /quotes`: shows what there is, and asks nobody for quotes.
pub(super) async fn page(State(app): Shared) -> Result<Response, Refused> {
    let clients = app.clients("quotes")?;
    join!(clients.rfqs.look(), clients.topics.look());
    let newest = clients.rfqs.seen().entries.as_ref().and_then(|rfqs| rfqs.first().cloned());
    let ride = newest.map(|rfq| Ride { from: rfq.from, to: rfq.to, customer: rfq.customer }).unwrap_or_default();
    Ok(draw(&app, &ride, ""))
}

/// `POST /quotes`: asks for quotes, then sends the browser to the page, where they arrive.
pub(super) async fn ask(State(app): Shared, headers: HeaderMap, body: Bytes) -> Result<Response, Refused> {
    let clients = app.clients("quotes")?;
    form::only(&headers, "this address")?;
    let form: Form = match serde_urlencoded::from_bytes(&body) {
        Ok(form) => form,
        Err(bad) => {
            let page = draw(&app, &Ride::default(), &format!("The form could not be read: {bad}."));
            return Ok((StatusCode::BAD_REQUEST, page).into_response());
        }
    };
    let submit = match form.read() {
        Ok(read) => read,
        Err(why) => return Ok((StatusCode::BAD_REQUEST, draw(&app, &form.filled(), &why)).into_response()),
    };
    match clients.rfqs.client().call(submit).await {
        Ok(_) => {
            clients.rfqs.look().await;
            Ok(Redirect::to(Tab::Quotes.path).into_response())
        }
        Err(error) => {
            let page = draw(&app, &form.filled(), &format!("Nobody was asked: {error}."));
            Ok((StatusCode::SERVICE_UNAVAILABLE, page).into_response())
        }
    }
}

fn draw(app: &App, ride: &Ride, message: &str) -> Response {
    Html(view::quotes_page(&state::State::of(&app.market), ride, message)).into_response()
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Form {
    from: String,
    to: String,
    customer: String,
}

impl Form {
    fn read(&self) -> Result<Submit, String> {
        let from = form::line("Where the ride begins", &self.from)?;
        let to = form::line("Where it ends", &self.to)?;
        Ok(Submit::new(from, to, form::line("The customer", &self.customer)?))
    }

    /// As it was filled in, for it to be mended.
    fn filled(&self) -> Ride {
        Ride { from: self.from.clone(), to: self.to.clone(), customer: self.customer.clone() }
    }
}
