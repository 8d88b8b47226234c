//! How this moment looks: parts that are drawn once for the first page and again whenever they change.

mod auction;
mod form;
mod frame;
mod instances;
mod lane;
mod leg;
mod rfqs;
mod row;
mod span;
mod tasks;
mod waiting;
mod words;

use askama::Template;

use crate::cart::Cart;
use crate::catalog::{THINGS, Thing};
use crate::kind::Kind;
use crate::page::Source;
use crate::ratings::DEADLINE;
use crate::state::{InstanceNow, State, ThingNow, present};
use crate::tab::Tab;
use crate::tape::Line;
use auction::LastAuction;
pub(crate) use form::{Choice, Filled};
use frame::Frame;
use instances::Instances;
use lane::Lane;
use rfqs::Rfqs;
pub(crate) use rfqs::{Ride, page as quotes_page};
pub(crate) use tasks::page as tasks_page;
use tasks::{History, LastSent};
use waiting::Waiting;
use words::{ago, clock, count, seconds};

/// All parts of a page that change by themselves. Each is an element with the part's name as its id.
#[derive(Debug, Default)]
pub(crate) struct Drawing(Vec<(String, String)>);

impl Drawing {
    /// Draws a page at this moment. The plain shop has no such parts.
    pub(crate) fn of(tab: Tab, state: &State) -> Self {
        let mut drawing = Self::default();
        if state.registry.is_none() {
            return drawing;
        }
        drawing.add("summary", &Summary { kind: tab.kind, instances: state.instances(tab.kind) });
        drawing.add("banners", &Banners::of(state, tab));
        drawing.add("instances", &Instances::of(state, tab));
        match tab {
            Tab::Shop => {
                drawing.add("last-page", &LastPage { state });
                for thing in &state.things {
                    drawing.add(&format!("rating-{}", thing.id), &Rating { thing });
                }
                drawing.add("lanes", &Lanes { lanes: Lane::all(state.page.as_deref()) });
            }
            Tab::Auction => drawing.add("last-auction", &LastAuction::of(state)),
            Tab::Quotes => drawing.add("rfqs", &Rfqs::of(state)),
            Tab::Tasks => {
                drawing.add("sent", &LastSent::of(state));
                drawing.add("history", &History::of(state));
            }
        }
        if !tab.topics.is_empty() {
            drawing.add("waiting", &Waiting::of(state, tab));
        }
        drawing.add("tape", &Tape { state });
        drawing
    }

    /// The parts that look different from what they looked like then.
    pub(crate) fn since(&self, then: &Self) -> String {
        let changed = self.0.iter().filter(|(name, html)| then.part(name) != html);
        changed.map(|(_, html)| html.as_str()).collect()
    }

    fn part(&self, name: &str) -> &str {
        self.0.iter().find(|(part, _)| part == name).map_or("", |(_, html)| html)
    }

    fn add(&mut self, name: &str, part: &impl Template) {
        // Rendering fails only when a value refuses to be shown, and none of ours does.
        self.0.push((name.to_owned(), part.render().unwrap_or_default()));
    }
}

/// The shop's whole page.
pub(crate) fn page(state: &State, cart: &Cart, message: &str) -> String {
    let frame = Frame::of(Tab::Shop, state);
    Page { frame, things: &THINGS, cart, message, deadline: DEADLINE.as_secs_f64() }.render().unwrap_or_default()
}

#[derive(Template)]
#[template(path = "page.html")]
struct Page<'a> {
    frame: Frame,
    things: &'static [Thing],
    cart: &'a Cart,
    message: &'a str,
    /// In seconds.
    deadline: f64,
}

/// The auction's whole page.
pub(crate) fn auction_page(state: &State, filled: &Filled, message: &str) -> String {
    let frame = Frame::of(Tab::Auction, state);
    AuctionPage { frame, filled, choices: &Choice::ALL, message }.render().unwrap_or_default()
}

#[derive(Template)]
#[template(path = "auction.html")]
struct AuctionPage<'a> {
    frame: Frame,
    filled: &'a Filled,
    choices: &'static [Choice],
    message: &'a str,
}

/// The page for an address where there is nothing, and for all else that is refused.
#[derive(Template)]
#[template(path = "missing.html")]
pub(crate) struct Missing<'a> {
    pub(crate) status: u16,
    pub(crate) reason: &'a str,
}

#[derive(Template)]
#[template(path = "summary.html")]
struct Summary<'a> {
    kind: Kind,
    instances: &'a [InstanceNow],
}

impl Summary<'_> {
    fn present(&self) -> String {
        count(present(self.instances), self.kind.noun)
    }

    fn open(&self) -> String {
        count(self.instances.iter().filter(|row| row.is_open()).count(), "open breaker")
    }
}

#[derive(Template)]
#[template(path = "last-page.html")]
struct LastPage<'a> {
    state: &'a State,
}

impl LastPage<'_> {
    fn last_good(&self) -> usize {
        self.state.things.iter().filter(|thing| thing.from == Source::LastGood).count()
    }
}

#[derive(Template)]
#[template(path = "banners.html")]
struct Banners {
    /// What is left to call without the registry.
    without_registry: Option<String>,
    /// How old the ratings are, when no instance is left to give new ones.
    down_since: Option<String>,
}

impl Banners {
    fn of(state: &State, tab: Tab) -> Self {
        let (kind, noun) = (tab.kind, tab.kind.noun);
        let found_nobody = state.page.as_ref().is_some_and(|page| page.is_down());
        let down = tab == Tab::Shop && found_nobody && !state.instances(kind).iter().any(InstanceNow::is_called);
        let oldest = state.things.iter().filter_map(|thing| thing.age).max();
        Self {
            without_registry: state.is_lost(kind).then(|| match present(state.instances(kind)) {
                0 => format!("and no {noun} is known"),
                known => format!("using the last known {}", count(known, noun)),
            }),
            down_since: oldest.filter(|_| down).map(seconds),
        }
    }
}

#[derive(Template)]
#[template(path = "rating.html")]
struct Rating<'a> {
    thing: &'a ThingNow,
}

impl Rating<'_> {
    fn from(&self) -> &'static str {
        words::source(self.thing.from)
    }

    fn millis(&self) -> u128 {
        self.thing.asked.as_ref().map_or(0, |asked| asked.elapsed.as_millis())
    }

    fn age(&self) -> String {
        ago(self.thing.age)
    }

    /// Why there is no live one, in a few words.
    fn why(&self) -> &str {
        let reason = self.thing.asked.as_ref().and_then(|asked| asked.reason.as_ref());
        reason.map_or("", |reason| &reason.short)
    }
}

#[derive(Template)]
#[template(path = "lanes.html")]
struct Lanes<'a> {
    lanes: Vec<Lane<'a>>,
}

#[derive(Template)]
#[template(path = "tape.html")]
struct Tape<'a> {
    state: &'a State,
}

impl Tape<'_> {
    fn clock(&self, line: &Line) -> String {
        clock(line.at.duration_since(self.state.opened).unwrap_or_default())
    }
}
