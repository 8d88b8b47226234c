//! The services whose instances the Market shows and the demo starts: all that is different about each is said here.

use std::ops::Deref;

use auction::bidder::Bidder;
use mainstay::contracts::auction::Auction;
use mainstay::contracts::bidding::Bidding;
use mainstay::contracts::hub::Hub;
use mainstay::contracts::quotes::{Providers, Quotes, provider_name};
use mainstay::contracts::ratings::Ratings;
use mainstay::contracts::sensors::{App, Sensor, Worker};
use mainstay::contracts::tasks::{Backends, Events as TaskEvents, Tasks};
use mainstay::{Address, Service as _};

use crate::lab::Ports;

/// Of which service an instance is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// They rate the things of the shop.
    Ratings,
    /// They bid in auctions.
    Bidders,
    /// Runs auctions for programs; the page runs its own.
    Auction,
    /// They are asked for quotes, by message.
    Providers,
    /// Takes requests for quotes, and collects the quotes.
    Quotes,
    /// They do tasks, by message.
    Backends,
    /// Takes tasks.
    Tasks,
    /// Keeps the record of every task.
    Events,
    /// Keeps messages.
    Hub,
    /// Measures.
    Sensor,
    /// They square what was measured.
    Workers,
    /// Keeps sensor and workers going.
    App,
}

/// What is to be known of a kind.
#[derive(Debug)]
pub(crate) struct Facts {
    /// The service's name, as the registry, our own addresses and the demo's roles say it.
    pub(crate) name: &'static str,
    /// The instances in `GET /api/state`.
    pub(crate) rows: &'static str,
    /// An instance, for people, when it is clear of what.
    pub(crate) noun: &'static str,
    /// What stands before an instance's number, for people.
    title: &'static str,
    /// What the console puts before the number of one, and before those of several.
    called: [&'static str; 2],
    /// How many there can be in the lab, and so the highest number.
    pub(crate) most: u32,
    /// The port before instance 1's, and the demo's option that chooses it.
    pub(crate) base_port: fn(&Ports) -> u16,
    pub(crate) option: &'static str,
    /// Where the instance of a number is found below its host and port.
    path: fn(u32) -> String,
    /// Whether the console tells which instance each call uses, and each time the registry is lost and found. The pages
    /// read the others all the time.
    pub(crate) told: bool,
    /// What it does, where that comes by message: then nobody calls it, and it has no breaker worth showing.
    pub(crate) work: Option<Work>,
}

/// What an instance does that takes messages.
#[derive(Debug)]
pub(crate) struct Work {
    /// What is counted.
    pub(crate) what: &'static str,
    /// Of what: its bars stand for that.
    pub(crate) span: &'static str,
}

/// How many instances of most kinds there can be in the lab.
pub(crate) const MANY: u32 = 20;

impl Kind {
    /// All of them.
    pub(crate) const ALL: [Self; 12] = [
        Self::Ratings,
        Self::Bidders,
        Self::Auction,
        Self::Hub,
        Self::Providers,
        Self::Quotes,
        Self::Backends,
        Self::Tasks,
        Self::Events,
        Self::Sensor,
        Self::Workers,
        Self::App,
    ];

    const fn facts(self) -> &'static Facts {
        match self {
            Self::Ratings => &Facts {
                name: Ratings::NAME,
                rows: "instances",
                noun: "instance",
                title: "Ratings",
                called: ["", ""],
                most: MANY,
                base_port: |ports| ports.ratings_base_port,
                option: "--ratings-base-port",
                path: |_| String::new(),
                told: true,
                work: None,
            },
            Self::Bidders => &Facts {
                name: Bidding::NAME,
                rows: "bidders",
                noun: "bidder",
                title: "Bidder",
                called: ["bidder ", "bidders "],
                most: MANY,
                base_port: |ports| ports.bidders_base_port,
                option: "--bidders-base-port",
                path: |number| Bidder::new(number).path(),
                told: true,
                work: None,
            },
            Self::Auction => &Facts {
                name: Auction::NAME,
                rows: SERVICES,
                noun: "auction service",
                title: "Auction",
                called: ["the auction service", ""],
                most: 1,
                base_port: |ports| ports.auction_port - 1,
                option: "--auction-port",
                path: |_| String::new(),
                told: false,
                work: None,
            },
            Self::Hub => &Facts {
                name: Hub::NAME,
                rows: SERVICES,
                noun: "hub",
                title: "Hub",
                called: ["the hub", ""],
                most: 1,
                base_port: |ports| ports.hub_port - 1,
                option: "--hub-port",
                path: |_| String::new(),
                told: false,
                work: None,
            },
            Self::Providers => &Facts {
                name: Providers::NAME,
                rows: "providers",
                noun: "provider",
                title: "Provider",
                called: ["provider ", "providers "],
                most: MANY,
                base_port: |ports| ports.providers_base_port,
                option: "--providers-base-port",
                path: |number| format!("/providers/{}", provider_name(number)),
                told: false,
                work: Some(Work { what: "Answers", span: "to the last 30 requests" }),
            },
            Self::Quotes => &Facts {
                name: Quotes::NAME,
                rows: SERVICES,
                noun: "quotes service",
                title: "Quotes",
                called: ["the quotes service", ""],
                most: 1,
                base_port: |ports| ports.quotes_port - 1,
                option: "--quotes-port",
                path: |_| String::new(),
                told: false,
                work: None,
            },
            Self::Backends => &Facts {
                name: Backends::NAME,
                rows: "backends",
                noun: "backend",
                title: "Backend",
                called: ["backend ", "backends "],
                most: MANY,
                base_port: |ports| ports.backends_base_port,
                option: "--backends-base-port",
                path: |_| String::new(),
                told: false,
                work: Some(Work { what: "Tasks", span: "last 60 s · of the last 100" }),
            },
            Self::Tasks => &Facts {
                name: Tasks::NAME,
                rows: SERVICES,
                noun: "frontend",
                title: "Frontend",
                called: ["the frontend", ""],
                most: 1,
                base_port: |ports| ports.tasks_port - 1,
                option: "--tasks-port",
                path: |_| String::new(),
                told: false,
                work: None,
            },
            Self::Events => &Facts {
                name: TaskEvents::NAME,
                rows: SERVICES,
                noun: "events service",
                title: "Events",
                called: ["the events service", ""],
                most: 1,
                base_port: |ports| ports.events_port - 1,
                option: "--events-port",
                path: |_| String::new(),
                told: false,
                work: None,
            },
            Self::Sensor => &Facts {
                name: Sensor::NAME,
                rows: SERVICES,
                noun: "sensor",
                title: "Sensor",
                called: ["the sensor", ""],
                most: 1,
                base_port: |ports| ports.sensor_port - 1,
                option: "--sensor-port",
                path: |_| String::new(),
                told: false,
                work: None,
            },
            Self::Workers => &Facts {
                name: Worker::NAME,
                rows: "workers",
                noun: "worker",
                title: "Worker",
                called: ["worker ", "workers "],
                most: MANY,
                base_port: |ports| ports.workers_base_port,
                option: "--workers-base-port",
                path: |_| String::new(),
                told: false,
                work: None,
            },
            Self::App => &Facts {
                name: App::NAME,
                rows: SERVICES,
                noun: "app",
                title: "App",
                called: ["the app", ""],
                most: 1,
                base_port: |ports| ports.app_port - 1,
                option: "--app-port",
                path: |_| String::new(),
                told: false,
                work: None,
            },
        }
    }

    /// The service of this name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name == name)
    }

    /// Whether there is one instance of it, and no number is needed to say which.
    pub(crate) fn is_single(self) -> bool {
        self.most == 1
    }

    /// Where the instance of this number is found, when it listens here.
    pub(crate) fn address(self, number: u32, listens: &Address) -> Address {
        listens.at(&(self.path)(number)).unwrap_or_else(|_| listens.clone())
    }

    /// One of its instances, for people: `Bidder #2`, or `Hub`.
    pub(crate) fn title(self, number: u32) -> String {
        if self.is_single() { self.title.to_owned() } else { format!("{} #{number}", self.title) }
    }

    /// Some of its instances, as the console calls them: `#1 #2`, `bidders #1 #2`, or `the hub`.
    pub(crate) fn list(self, numbers: &[u32]) -> String {
        let [one, several] = self.called;
        if self.is_single() {
            return one.to_owned();
        }
        let list = numbers.iter().map(|number| format!("#{number}")).collect::<Vec<_>>().join(" ");
        format!("{}{list}", if numbers.len() == 1 { one } else { several })
    }
}

impl Deref for Kind {
    type Target = Facts;

    fn deref(&self) -> &Facts {
        self.facts()
    }
}

/// Where the rows of services are that have one instance.
const SERVICES: &str = "services";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instances_have_addresses_and_names_by_kind() {
        let listens: Address = "http://127.0.0.1:9092".parse().unwrap();
        assert_eq!(Kind::Ratings.address(2, &listens).as_str(), "http://127.0.0.1:9092");
        assert_eq!(Kind::Bidders.address(2, &listens).as_str(), "http://127.0.0.1:9092/bidders/bidder2");
        let told = [Kind::Ratings.list(&[1, 2]), Kind::Bidders.list(&[1]), Kind::Auction.list(&[1])];
        assert_eq!(told, ["#1 #2", "bidder #1", "the auction service"]);
    }
}
