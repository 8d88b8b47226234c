//! What there is to know at this moment: the same for programs (`GET /api/state`) and for the page.
//!
//! The JSON is a promise to programs. What only the page shows is left out of it.

mod auction;
mod instance;

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use mainstay::{Presence, Snapshot};
use serde::{Serialize, Serializer};

use crate::auctions::Auction;
use crate::catalog::{THINGS, Thing};
use crate::kind::Kind;
use crate::market::Market;
use crate::money::Cents;
use crate::page::{Asked, Outcome, Page, Source};
use crate::tape::Line;

use auction::AuctionNow;
pub(crate) use instance::{InstanceNow, breaker_word};

/// This moment.
#[derive(Debug, Serialize)]
pub(crate) struct State {
    pub(crate) things: Vec<ThingNow>,
    /// Those that rate, by number.
    pub(crate) instances: Vec<InstanceNow>,
    /// Those that bid, by number.
    pub(crate) bidders: Vec<InstanceNow>,
    /// Nothing in the plain shop.
    pub(crate) registry: Option<RegistryNow>,
    /// The same, as the bidders' client sees it.
    #[serde(skip)]
    bidders_registry: Option<RegistryNow>,
    pub(crate) last_page: PageNow,
    /// Nothing before the first.
    pub(crate) auction: Option<AuctionNow>,
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

/// The registry, as the client sees it.
#[derive(Debug, Serialize)]
pub(crate) struct RegistryNow {
    pub(crate) reachable: bool,
    #[serde(rename = "age_ms", serialize_with = "millis")]
    pub(crate) age: Option<Duration>,
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
        let known = |kind| market.clients().map(|clients| clients.snapshot(kind));
        let rows = |kind, known: &Option<Snapshot>| {
            known.as_ref().map(|known| instance::all(market, kind, known)).unwrap_or_default()
        };
        let (ratings, bidders) = (known(Kind::Ratings), known(Kind::Bidders));
        let registry = |known: &Option<Snapshot>| {
            let view = known.as_ref()?.registry.as_ref()?;
            Some(RegistryNow { reachable: view.reachable, age: Some(view.age) })
        };
        Self {
            things: THINGS.iter().map(|thing| ThingNow::of(thing, page.as_deref())).collect(),
            instances: rows(Kind::Ratings, &ratings),
            bidders: rows(Kind::Bidders, &bidders),
            registry: registry(&ratings),
            bidders_registry: registry(&bidders),
            last_page: page.as_deref().map(PageNow::of).unwrap_or_default(),
            auction: last_auction.as_deref().map(AuctionNow::of),
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
    /// The registry, as the client of a kind sees it: each watches for itself.
    pub(crate) fn registry(&self, kind: Kind) -> Option<&RegistryNow> {
        match kind {
            Kind::Ratings => self.registry.as_ref(),
            Kind::Bidders => self.bidders_registry.as_ref(),
        }
    }

    /// Whether the client of a kind does not reach the registry.
    pub(crate) fn is_lost(&self, kind: Kind) -> bool {
        self.registry(kind).is_some_and(|registry| !registry.reachable)
    }

    /// The instances of a kind.
    pub(crate) fn rows(&self, kind: Kind) -> &[InstanceNow] {
        match kind {
            Kind::Ratings => &self.instances,
            Kind::Bidders => &self.bidders,
        }
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
    instances.iter().filter(|row| matches!(row.registry, Some(Presence::Up | Presence::Silent))).count()
}

fn whole_millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

fn millis<S: Serializer>(duration: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
    duration.map(whole_millis).serialize(serializer)
}
