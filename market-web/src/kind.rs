//! The two services whose instances the Market shows, each on a page of its own.

use auction::bidder::Bidder;
use mainstay::contracts::bidding::Bidding;
use mainstay::contracts::ratings::Ratings;
use mainstay::{Address, Service as _};

/// Of which service an instance is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// They rate the things of the shop.
    Ratings,
    /// They bid in auctions.
    Bidders,
}

impl Kind {
    /// Both.
    pub(crate) const ALL: [Self; 2] = [Self::Ratings, Self::Bidders];

    /// The service's name, as the registry and our own addresses say it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Ratings => Ratings::NAME,
            Self::Bidders => Bidding::NAME,
        }
    }

    /// The page that shows its instances.
    pub(crate) fn page(self) -> &'static str {
        match self {
            Self::Ratings => "/",
            Self::Bidders => "/auction",
        }
    }

    /// The same page, made without a call.
    pub(crate) fn page_as_it_is(self) -> &'static str {
        match self {
            Self::Ratings => "/?still",
            Self::Bidders => "/auction",
        }
    }

    /// The path of the instance of this number.
    pub(crate) fn path(self, number: u32) -> String {
        match self {
            Self::Ratings => String::new(),
            Self::Bidders => Bidder::new(number).path(),
        }
    }

    /// Where the instance of this number is found, when it listens here.
    pub(crate) fn address(self, number: u32, listens: &Address) -> Address {
        listens.at(&self.path(number)).unwrap_or_else(|_| listens.clone())
    }

    /// Some of its instances, as the console calls them: `#1 #2`, or `bidders #1 #2`.
    pub(crate) fn list(self, numbers: &[u32]) -> String {
        let list = numbers.iter().map(|number| format!("#{number}")).collect::<Vec<_>>().join(" ");
        match (self, numbers.len()) {
            (Self::Ratings, _) => list,
            (Self::Bidders, 1) => format!("bidder {list}"),
            (Self::Bidders, _) => format!("bidders {list}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instances_have_addresses_and_names_by_kind() {
        let listens: Address = "http://127.0.0.1:9092".parse().unwrap();
        assert_eq!(Kind::Ratings.address(2, &listens).as_str(), "http://127.0.0.1:9092");
        assert_eq!(Kind::Bidders.address(2, &listens).as_str(), "http://127.0.0.1:9092/bidders/bidder2");
        assert_eq!(
            (Kind::Ratings.list(&[1, 2]), Kind::Bidders.list(&[1])),
            ("#1 #2".to_owned(), "bidder #1".to_owned())
        );
    }
}
