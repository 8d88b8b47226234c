//! What there is to know at this moment: the same for programs (`GET /api/state`) and for the page.
//!
//! The JSON is a promise to programs. What only the page shows is left out of it.

mod auction;
mod books;
mod instance;
mod rows;
mod work;

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use mainstay::Presence;
use serde::{Serialize, Serializer};

use crate::auctions::Auction;
use crate::catalog::{THINGS, Thing};
use crate::kind::Kind;
use crate::market::Market;
use crate::money::Cents;
use crate::page::{Asked, Outcome, Page, Source};
use crate::tape::Line;

use auction::AuctionNow;
pub(crate) use books::BooksNow;
pub(crate) use instance::{InstanceNow, breaker_word};
use rows::{RegistryNow, Rows};

/// This moment.
#[derive(Debug, Serialize)]
pub(crate) struct State {
    pub(crate) things: Vec<ThingNow>,
    #[serde(flatten)]
    pub(crate) rows: Rows,
    /// As the client of the ratings sees it. Nothing in the plain shop.
    pub(crate) registry: Option<RegistryNow>,
    pub(crate) last_page: PageNow,
    /// Nothing before the first.
    pub(crate) auction: Option<AuctionNow>,
    #[serde(flatten)]
    pub(crate) books: BooksNow,
    /// Oldest first.
    pub(crate) events: Vec<Arc<Line>>,
    #[serde(skip)]
    pub(crate) page: Option<Arc<Page>>,
    #[serde(skip)]
    pub(crate) last_auction: Option<Arc<Auction>>,
    #[serde(skip)]
    pub(crate) opened: SystemTime,
    #[serde(skip)]
    pub(crate) in_lab: bool,
    /// Whether the registry's process runs, in the demo.
    #[serde(skip)]
    pub(crate) registry_runs: bool,
}

/// A thing and its rating.
#[derive(Debug, Serialize)]
pub(crate) struct ThingNow {
    pub(crate) id: &'static str,
    pub(crate) title: &'static str,
    pub(crate) price_cents: Cents,
    pub(crate) rating: Option<f64>,
    pub(crate) from: Source,
    /// Who said so.
    pub(crate) instance: Option<u32>,
    #[serde(rename = "age_ms", serialize_with = "millis")]
    pub(crate) age: Option<Duration>,
    pub(crate) reason: Option<String>,
    #[serde(skip)]
    pub(crate) asked: Option<Asked>,
}

/// The last page in numbers; all zero before the first.
#[derive(Debug, Default, Serialize)]
pub(crate) struct PageNow {
    pub(crate) calls: usize,
    pub(crate) elapsed_ms: u64,
    pub(crate) timeouts: usize,
}

impl State {
    /// Looks around. Nothing is changed by it, and nobody is called.
    pub(crate) fn of(market: &Market) -> Self {
        let (page, last_auction) = (market.last_page(), market.auctions().last());
        let rows = Rows::of(market);
        Self {
            things: THINGS.iter().map(|thing| ThingNow::of(thing, page.as_deref())).collect(),
            registry: rows.registry(Kind::Ratings),
            rows,
            last_page: page.as_deref().map(PageNow::of).unwrap_or_default(),
            auction: last_auction.as_deref().map(AuctionNow::of),
            books: BooksNow::of(market),
            events: market.tape().lines(),
            page,
            last_auction,
            opened: market.opened(),
            in_lab: market.lab().is_some(),
            registry_runs: market.lab().is_some_and(|lab| lab.registry_runs()),
        }
    }
}

impl State {
    /// Whether the client of a kind does not reach the registry.
    pub(crate) fn is_lost(&self, kind: Kind) -> bool {
        self.rows.registry(kind).is_some_and(|registry| !registry.reachable)
    }

    /// The instances of a kind.
    pub(crate) fn instances(&self, kind: Kind) -> &[InstanceNow] {
        self.rows.instances(kind)
    }
}

impl ThingNow {
    fn of(thing: &'static Thing, page: Option<&Page>) -> Self {
        let asked = page.and_then(|page| page.asked.iter().find(|asked| asked.thing == thing.id));
        let rated = asked.and_then(|asked| asked.rated);
        Self {
            id: thing.id,
            title: thing.title,
            price_cents: thing.price,
            rating: rated.map(|rated| rated.stars),
            from: asked.map(|asked| asked.source).unwrap_or_default(),
            instance: rated.map(|rated| rated.instance),
            age: rated.map(|rated| rated.said.elapsed()),
            reason: asked.and_then(|asked| asked.reason.as_ref()).map(|reason| reason.full.clone()),
            asked: asked.cloned(),
        }
    }
}

impl PageNow {
    fn of(page: &Page) -> Self {
        Self {
            calls: page.asked.len(),
            elapsed_ms: whole_millis(page.elapsed),
            timeouts: page.asked.iter().filter(|asked| asked.outcome == Outcome::TimedOut).count(),
        }
    }
}

/// How many instances the registry's last word leaves.
pub(crate) fn present(instances: &[InstanceNow]) -> usize {
    instances.iter().filter(|row| row.registry.is_some_and(|presence| presence != Presence::Gone)).count()
}

fn whole_millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

fn millis<S: Serializer>(duration: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
    duration.map(whole_millis).serialize(serializer)
}
