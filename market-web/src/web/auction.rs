//! The auction's page, and its form.

use std::ops::RangeInclusive;
use std::time::Duration;

use auction::Terms;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::HeaderMap;
use axum::response::{Html, IntoResponse as _, Redirect, Response};
use mainstay::contracts::bidding::Ask;
use serde::Deserialize;

use super::{App, Refused, Shared, form};
use crate::auctions::{AT_ONCE, Busy, LONGEST};
use crate::state;
use crate::tab::Tab;
use crate::view::{self, Choice, Filled};

/// The shortest and the longest that an auction may be asked to take.
const DEADLINES: RangeInclusive<Duration> = Duration::from_millis(100)..=LONGEST;

/// `GET /auction`: shows the last one, and runs none.
pub(super) async fn page(State(app): Shared) -> Result<Response, Refused> {
    app.clients("auction")?;
    let last = app.market.auctions().last();
    let filled = last.map_or_else(Filled::default, |last| Filled::of(&last.lot, last.terms));
    Ok(draw(&app, &filled, ""))
}

/// `POST /auction`: runs one to its end, then sends the browser to the page, which shows it unless another one has
/// begun meanwhile.
pub(super) async fn run(State(app): Shared, headers: HeaderMap, body: Bytes) -> Result<Response, Refused> {
    let clients = app.clients("auction")?;
    form::only(&headers, "the auction")?;
    let form: Form = match serde_urlencoded::from_bytes(&body) {
        Ok(form) => form,
        Err(bad) => {
            let page = draw(&app, &Filled::default(), &format!("The form could not be read: {bad}."));
            return Ok((StatusCode::BAD_REQUEST, page).into_response());
        }
    };
    let (lot, terms) = match form.read() {
        Ok(read) => read,
        Err(why) => return Ok((StatusCode::BAD_REQUEST, draw(&app, &form.filled(), &why)).into_response()),
    };
    match app.market.auctions().run(&clients.auctioneer, lot, terms).await {
        Ok(()) => Ok(Redirect::to(Tab::Auction.path).into_response()),
        Err(Busy) => {
            let reason = format!("{AT_ONCE} auctions are under way: run this one in a moment");
            Err(Refused::new(StatusCode::SERVICE_UNAVAILABLE, reason))
        }
    }
}

fn draw(app: &App, filled: &Filled, message: &str) -> Response {
    Html(view::auction_page(&state::State::of(&app.market), filled, message)).into_response()
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Form {
    item: String,
    condition: String,
    #[serde(default = "second")]
    deadline_ms: String,
    #[serde(default = "everybody")]
    complete: String,
}

fn second() -> String {
    "1000".to_owned()
}

fn everybody() -> String {
    Choice::ALL[0].word.to_owned()
}

impl Form {
    fn read(&self) -> Result<(Ask, Terms), String> {
        let lot = Ask::new(form::line("The item", &self.item)?, form::line("The condition", &self.condition)?);
        let deadline = self.deadline_ms.trim().parse().ok().map(Duration::from_millis);
        let deadline = deadline.filter(|deadline| DEADLINES.contains(deadline)).ok_or_else(|| {
            let (least, most) = (DEADLINES.start().as_millis(), DEADLINES.end().as_millis());
            format!("The deadline is from {least} to {most} ms.")
        })?;
        let choice = Choice::ALL.iter().find(|choice| choice.word == self.complete);
        let choice = choice.ok_or("The form does not say when the auction ends.")?;
        Ok((lot, Terms { deadline, completion: choice.completion }))
    }

    /// As it was filled in, for it to be mended.
    fn filled(&self) -> Filled {
        Filled {
            item: self.item.clone(),
            condition: self.condition.clone(),
            deadline_ms: self.deadline_ms.clone(),
            complete: self.complete.clone(),
        }
    }
}
