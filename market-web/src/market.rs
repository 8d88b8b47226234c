//! The Market itself: its clients, its last page, its auctions, its lab.

use std::io;
use std::sync::Arc;
use std::time::SystemTime;

use parking_lot::Mutex;
use tokio::join;
use tokio::time::{Instant, MissedTickBehavior, interval};

use crate::Config;
use crate::auctions::Auctions;
use crate::clients::Clients;
use crate::kind::Kind;
use crate::lab::Lab;
use crate::page::{Asked, Page};
use crate::tab::Tab;
use crate::tape::Tape;
use crate::traffic::{STEP, Traffic};

/// Everything that requests share. Clones share it too.
#[derive(Debug, Clone)]
pub(crate) struct Market(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    opened: SystemTime,
    clients: Option<Clients>,
    lab: Option<Lab>,
    tape: Tape,
    page: Mutex<Option<Arc<Page>>>,
    auctions: Auctions,
    traffic: Mutex<Traffic>,
}

impl Market {
    pub(crate) fn new(config: Config) -> io::Result<Self> {
        Ok(Self(Arc::new(Inner {
            opened: SystemTime::now(),
            clients: config.registry.map(Clients::new).transpose()?,
            lab: config.lab,
            tape: config.tape,
            page: Mutex::default(),
            auctions: Auctions::default(),
            traffic: Mutex::default(),
        })))
    }

    /// When it opened: the zero of the times on the tape.
    pub(crate) fn opened(&self) -> SystemTime {
        self.0.opened
    }

    /// The clients, unless this is the plain shop.
    pub(crate) fn clients(&self) -> Option<&Clients> {
        self.0.clients.as_ref()
    }

    /// The lab, in the demo.
    pub(crate) fn lab(&self) -> Option<&Lab> {
        self.0.lab.as_ref()
    }

    pub(crate) fn tape(&self) -> &Tape {
        &self.0.tape
    }

    /// The last page whose calls all ended.
    pub(crate) fn last_page(&self) -> Option<Arc<Page>> {
        self.0.page.lock().clone()
    }

    pub(crate) fn auctions(&self) -> &Auctions {
        &self.0.auctions
    }

    pub(crate) fn traffic(&self) -> &Mutex<Traffic> {
        &self.0.traffic
    }

    /// Makes the calls of one page, all at once.
    pub(crate) async fn turn_page(&self) {
        let Some(clients) = self.clients() else { return };
        let began = Instant::now();
        let asked = clients.ratings.ask_all().await;
        let page = Page { began, elapsed: began.elapsed(), asked };
        let mut last = self.0.page.lock();
        // A page that hung must not take the place of one that began after it.
        if last.as_ref().is_none_or(|last| last.began <= page.began) {
            *last = Some(Arc::new(page));
        }
    }

    /// Asks for one rating, outside any page.
    pub(crate) async fn ask(&self, thing: &'static str) -> Option<Asked> {
        Some(self.clients()?.ratings.ask(thing).await)
    }

    /// Reads what other services keep, for as long as it is polled and somebody watches.
    pub(crate) async fn keep_reading(&self, is_watched: impl Fn(Tab) -> bool) {
        let Some(clients) = self.clients() else { return std::future::pending().await };
        let with_topics = || is_watched(Tab::Quotes) || is_watched(Tab::Tasks);
        join!(
            clients.rfqs.keep_looking(|| is_watched(Tab::Quotes)),
            clients.history.keep_looking(|| is_watched(Tab::Tasks)),
            clients.topics.keep_looking(with_topics),
        );
    }

    /// Notes the traffic, for as long as it is polled.
    pub(crate) async fn watch_traffic(&self) {
        let Some(clients) = self.clients() else { return std::future::pending().await };
        let mut steps = interval(STEP);
        steps.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            steps.tick().await;
            self.0.traffic.lock().note(&Kind::ALL.map(|kind| (kind, clients.snapshot(kind))));
        }
    }
}
