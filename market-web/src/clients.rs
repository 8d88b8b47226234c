//! The Market's clients: one for each kind of instances. All find theirs through one registry.

use std::collections::BTreeMap;
use std::io;

use auction::Auctioneer;
use mainstay::contracts::auction::Auction;
use mainstay::contracts::hub::Topics;
use mainstay::contracts::quotes::{List, Providers};
use mainstay::contracts::sensors::{App, Sensor, Worker};
use mainstay::contracts::tasks::{Backends, ListTasks};
use mainstay::{Address, BreakerState, Client, Events, Presence, Service, Snapshot};

use crate::book::Book;
use crate::kind::Kind;
use crate::ratings::Ratings;
use crate::tasks::Sender;

/// How many requests for quotes, and how many tasks, the pages know of.
pub(crate) const NEWEST_RFQS: usize = 30;
pub(crate) const NEWEST_TASKS: u32 = 100;

/// The clients that requests share, most of them in what they are for.
#[derive(Debug)]
pub(crate) struct Clients {
    pub(crate) ratings: Ratings,
    pub(crate) auctioneer: Auctioneer,
    pub(crate) rfqs: Book<List>,
    pub(crate) sender: Sender,
    pub(crate) history: Book<ListTasks>,
    pub(crate) topics: Book<Topics>,
    auction: Client<Auction>,
    providers: Client<Providers>,
    backends: Client<Backends>,
    sensor: Client<Sensor>,
    workers: Client<Worker>,
    app: Client<App>,
}

impl Clients {
    /// Clients that find the instances through this registry.
    pub(crate) fn new(registry: Address) -> io::Result<Self> {
        Ok(Self {
            auctioneer: Auctioneer::new(registry.clone()).map_err(io::Error::other)?,
            rfqs: Book::new(client(&registry)?, List { most: NEWEST_RFQS }),
            sender: Sender::new(client(&registry)?),
            history: Book::new(client(&registry)?, ListTasks { until: None, most: Some(NEWEST_TASKS) }),
            topics: Book::new(client(&registry)?, Topics {}),
            auction: client(&registry)?,
            providers: client(&registry)?,
            backends: client(&registry)?,
            sensor: client(&registry)?,
            workers: client(&registry)?,
            app: client(&registry)?,
            ratings: Ratings::new(registry)?,
        })
    }

    fn of(&self, kind: Kind) -> &dyn Knows {
        match kind {
            Kind::Ratings => self.ratings.client(),
            Kind::Bidders => self.auctioneer.client(),
            Kind::Auction => &self.auction,
            Kind::Providers => &self.providers,
            Kind::Quotes => self.rfqs.client(),
            Kind::Backends => &self.backends,
            Kind::Tasks => self.sender.client(),
            Kind::Events => self.history.client(),
            Kind::Hub => self.topics.client(),
            Kind::Sensor => &self.sensor,
            Kind::Workers => &self.workers,
            Kind::App => &self.app,
        }
    }

    /// What is known of the instances of a kind. Reading it changes nothing.
    pub(crate) fn snapshot(&self, kind: Kind) -> Snapshot {
        self.of(kind).snapshot()
    }

    /// Who is where, to tell an instance that is started from the one that was there before it.
    pub(crate) fn known(&self, kind: Kind) -> Known {
        let instances = self.snapshot(kind).instances.into_iter();
        let present = instances.filter(|view| view.presence != Presence::Gone);
        Known(
            present
                .map(|view| (view.instance.address.clone(), (view.instance.number, view.instance.incarnation)))
                .collect(),
        )
    }

    /// Resolves when new instances at these addresses are up and their breakers closed. Those of the unhealthy need not
    /// be: they are closed at first, but stay open where an earlier instance left them so.
    pub(crate) async fn answering(&self, kind: Kind, addresses: &[Address], before: &Known, healthy: bool) {
        // Listening starts before looking, so that nothing happens in between unheard.
        let mut events = self.of(kind).events();
        let answers = |snapshot: &Snapshot, address: &Address| {
            snapshot.instances.iter().any(|view| {
                view.instance.address == *address
                    && before.incarnation(address) != Some(view.instance.incarnation)
                    && view.presence == Presence::Up
                    && (!healthy || view.breaker.state == BreakerState::Closed)
            })
        };
        let all_answer = || {
            let snapshot = self.snapshot(kind);
            addresses.iter().all(|address| answers(&snapshot, address))
        };
        while !all_answer() && events.next().await.is_some() {}
    }
}

fn client<S: Service>(registry: &Address) -> io::Result<Client<S>> {
    Client::builder().registry(registry.clone()).build().map_err(io::Error::other)
}

/// What every client knows, whatever it calls.
trait Knows {
    fn snapshot(&self) -> Snapshot;
    fn events(&self) -> Events;
}

impl<S: Service> Knows for Client<S> {
    fn snapshot(&self) -> Snapshot {
        self.snapshot()
    }

    fn events(&self) -> Events {
        self.events()
    }
}

/// Number and incarnation of the instance at each address.
#[derive(Debug, Default)]
pub(crate) struct Known(BTreeMap<Address, (u32, u64)>);

impl Known {
    /// Whether this number belongs to an instance at another address.
    pub(crate) fn is_taken(&self, number: u32, address: &Address) -> bool {
        self.0.iter().any(|(other, (taken, _))| *taken == number && other != address)
    }

    fn incarnation(&self, address: &Address) -> Option<u64> {
        self.0.get(address).map(|(_, incarnation)| *incarnation)
    }
}
