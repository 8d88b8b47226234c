//! Requests for quotes: the newest, its quotes as they arrive, and those before it.

use std::time::Duration;

use askama::Template;
use mainstay::contracts::quotes::{Quoted, RfqState, RfqView};

use super::frame::Frame;
use super::span::Span;
use super::words::{count, sentence, until};
use crate::state::State;
use crate::tab::Tab;

/// The part of the page that shows them.
#[derive(Template)]
#[template(path = "rfqs.html")]
pub(super) struct Rfqs<'a> {
    newest: Option<&'a RfqView>,
    quotes: Vec<Offer<'a>>,
    earlier: &'a [RfqView],
    /// Since when this was so.
    age: Duration,
    lost: Option<&'a str>,
}

/// What stands in the form.
#[derive(Debug)]
pub(crate) struct Ride {
    pub(crate) from: String,
    pub(crate) to: String,
    pub(crate) customer: String,
}

impl Default for Ride {
    fn default() -> Self {
        Self { from: "Frankfurt".to_owned(), to: "Las Vegas".to_owned(), customer: "cmr".to_owned() }
    }
}

/// The quotes' whole page.
#[derive(Template)]
#[template(path = "quotes.html")]
struct Page<'a> {
    frame: Frame,
    ride: &'a Ride,
    message: &'a str,
}

/// The quotes' whole page.
pub(crate) fn page(state: &State, ride: &Ride, message: &str) -> String {
    Page { frame: Frame::of(Tab::Quotes, state), ride, message }.render().unwrap_or_default()
}

/// One quote of the newest request.
struct Offer<'a> {
    quoted: &'a Quoted,
    is_best: bool,
    /// How high it is.
    span: Span,
}

/// The highest usual quote, where the line is drawn.
const HIGH: u64 = 100;

impl<'a> Rfqs<'a> {
    pub(super) fn of(state: &'a State) -> Self {
        let seen = state.books.rfqs.as_deref();
        let all: &[RfqView] = seen.and_then(|seen| seen.entries.as_deref()).map_or(&[], Vec::as_slice);
        let newest = all.first();
        let offer = |quoted: &'a Quoted| Offer {
            quoted,
            is_best: newest.and_then(|rfq| rfq.best.as_ref()) == Some(quoted),
            span: Span::of(Duration::ZERO, Duration::from_secs(quoted.quote.into()), Duration::from_secs(HIGH)),
        };
        Self {
            newest,
            quotes: newest.map(|rfq| rfq.quotes.iter().map(offer).collect()).unwrap_or_default(),
            earlier: all.get(1..).unwrap_or_default(),
            age: seen.map(|seen| seen.at.elapsed()).unwrap_or_default(),
            lost: seen.and_then(|seen| seen.lost.as_deref()),
        }
    }

    fn lost(&self) -> Option<String> {
        self.lost.map(sentence)
    }

    /// `8 of 10 answered · closes in 12 s`
    fn course(&self, rfq: &RfqView) -> String {
        let answered = format!("{} of {} answered", rfq.answered, count(rfq.asked, "provider"));
        match rfq.state {
            RfqState::Open => {
                let left = Duration::from_millis(rfq.closes_in_ms).saturating_sub(self.age);
                format!("{answered} · closes in {}", until(left))
            }
            state => format!("{answered} · {}", word(state)),
        }
    }

    fn state(&self, rfq: &RfqView) -> &'static str {
        word(rfq.state)
    }
}

fn word(state: RfqState) -> &'static str {
    match state {
        RfqState::Open => "open",
        RfqState::Complete => "complete",
        RfqState::Closed => "closed",
    }
}
