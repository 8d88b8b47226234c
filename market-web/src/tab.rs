//! The pages that people choose between, and whose instances each shows.

use std::ops::Deref;

use mainstay::contracts::Message as _;
use mainstay::contracts::quotes::{Quote, Rfq};
use mainstay::contracts::sensors::{Reading, Squared};
use mainstay::contracts::tasks::{Task, TaskAsked, TaskDone};

use crate::kind::Kind;

/// One of the pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tab {
    Shop,
    Auction,
    Quotes,
    Tasks,
}

/// What is to be known of a page.
#[derive(Debug)]
pub(crate) struct Facts {
    /// Where it is.
    pub(crate) path: &'static str,
    /// The same page, made without a call.
    pub(crate) still: &'static str,
    /// What it is called among the others.
    pub(crate) title: &'static str,
    /// Whose instances have the large table.
    pub(crate) kind: Kind,
    /// Whose have the small one below it.
    pub(crate) services: &'static [Kind],
    /// The topics whose messages it is about.
    pub(crate) topics: &'static [&'static str],
    /// What it means that there is nobody of its kind, and how some are started by hand.
    pub(crate) nobody: &'static str,
    pub(crate) by_hand: &'static str,
}

impl Tab {
    /// All of them, in their order on every page.
    pub(crate) const ALL: [Self; 4] = [Self::Shop, Self::Auction, Self::Quotes, Self::Tasks];

    const fn facts(self) -> &'static Facts {
        match self {
            Self::Shop => &Facts {
                path: "/",
                still: "/?still",
                title: "Shop",
                kind: Kind::Ratings,
                services: &[],
                topics: &[],
                nobody: "No instance is registered, so things have no rating.",
                by_hand: "cargo run -p ratings-service -- --count 3",
            },
            Self::Auction => &Facts {
                path: "/auction",
                still: "/auction",
                title: "Auction",
                kind: Kind::Bidders,
                services: &[],
                topics: &[],
                nobody: "No bidder is registered, so there is nobody to ask.",
                by_hand: "cargo run -p auction --bin bidders",
            },
            Self::Quotes => &Facts {
                path: "/quotes",
                still: "/quotes",
                title: "Quotes",
                kind: Kind::Providers,
                services: &[Kind::Quotes, Kind::Hub],
                topics: &[Rfq::TOPIC, Quote::TOPIC],
                nobody: "No provider is registered, so there is nobody to ask.",
                by_hand: "cargo run -p auction --bin providers",
            },
            Self::Tasks => &Facts {
                path: "/tasks",
                still: "/tasks",
                title: "Tasks",
                kind: Kind::Backends,
                services: &[Kind::Tasks, Kind::Events, Kind::Hub, Kind::Sensor, Kind::Workers, Kind::App],
                topics: &[TaskAsked::TOPIC, Task::TOPIC, TaskDone::TOPIC, Reading::TOPIC, Squared::TOPIC],
                nobody: "No backend is registered, so tasks wait until one comes, or their time is over.",
                by_hand: "cargo run -p pipeline --bin backend -- --count 3",
            },
        }
    }

    /// The page that shows the instances of a kind: of one that several show, the first.
    pub(crate) fn of(kind: Kind) -> Self {
        let shows = |tab: &Self| tab.kind == kind || tab.services.contains(&kind);
        Self::ALL.into_iter().find(shows).unwrap_or(Self::Shop)
    }

    /// The page whose large table is that of the service of this name: so do addresses say which page is meant.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|tab| tab.kind.name == name)
    }
}

impl Deref for Tab {
    type Target = Facts;

    fn deref(&self) -> &Facts {
        self.facts()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_is_found_on_its_page() {
        for tab in Tab::ALL {
            assert_eq!((Tab::of(tab.kind), Tab::named(tab.kind.name)), (tab, Some(tab)));
        }
        assert_eq!(Tab::named("auction"), None);
    }
}
