//! The Market's own auctions: they run here, so that their legs are seen as they arrive, beside the breakers that
//! decided.

use std::sync::Arc;
use std::time::Duration;

use auction::{Auctioneer, Award, Standing, Terms};
use mainstay::Instance;
use mainstay::contracts::bidding::Ask;
use tokio::sync::{Semaphore, watch};
use tokio::time::Instant;
use tracing::info;

use crate::tape::TARGET;

/// How many may be under way at once.
pub(crate) const AT_ONCE: usize = 32;

/// The longest that one may be asked to take.
pub(crate) const LONGEST: Duration = Duration::from_secs(10);

/// All auctions of the Market. It remembers the one that began last.
#[derive(Debug)]
pub(crate) struct Auctions {
    last: watch::Sender<Option<Arc<Auction>>>,
    free: Arc<Semaphore>,
}

/// One auction, at one moment.
#[derive(Debug, Clone)]
pub(crate) struct Auction {
    /// Grows by one with every auction.
    pub(crate) number: u64,
    pub(crate) lot: Ask,
    pub(crate) terms: Terms,
    pub(crate) began: Instant,
    pub(crate) course: Course,
}

/// How far an auction has come.
#[derive(Debug, Clone)]
pub(crate) enum Course {
    /// Finds out whom to ask.
    Opening,
    /// Waits for those who have not answered.
    Asking(Vec<Asked>),
    /// Enough have, or the time is over.
    Over(Arc<Award>),
    /// There was nobody to ask.
    Nobody { why: String, elapsed: Duration },
}

/// A bidder, and how it stands once it has answered.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) bidder: Arc<Instance>,
    pub(crate) standing: Option<Arc<Standing>>,
}

/// As many auctions are under way as there may be.
#[derive(Debug)]
pub(crate) struct Busy;

impl Default for Auctions {
    fn default() -> Self {
        Self { last: watch::Sender::default(), free: Arc::new(Semaphore::new(AT_ONCE)) }
    }
}

impl Auctions {
    /// The one that began last.
    pub(crate) fn last(&self) -> Option<Arc<Auction>> {
        self.last.borrow().clone()
    }

    /// Changes with every leg of it.
    pub(crate) fn bell(&self) -> watch::Receiver<Option<Arc<Auction>>> {
        self.last.subscribe()
    }

    /// Runs an auction to its end. Whoever leaves before sees it through all the same.
    pub(crate) async fn run(&self, auctioneer: &Auctioneer, lot: Ask, terms: Terms) -> Result<(), Busy> {
        let place = Arc::clone(&self.free).try_acquire_owned().map_err(|_| Busy)?;
        let (auctioneer, last) = (auctioneer.clone(), self.last.clone());
        let running = tokio::spawn(async move {
            Auction::begin(lot, terms, &last).run(&auctioneer, &last).await;
            drop(place);
        });
        // It fails only when the Market ends.
        let _ = running.await;
        Ok(())
    }
}

type Last = watch::Sender<Option<Arc<Auction>>>;

impl Auction {
    /// Whether it is under way.
    pub(crate) fn runs(&self) -> bool {
        matches!(self.course, Course::Opening | Course::Asking(_))
    }

    /// How long it has been under way, or took.
    pub(crate) fn elapsed(&self) -> Duration {
        match &self.course {
            Course::Over(award) => award.elapsed,
            Course::Nobody { elapsed, .. } => *elapsed,
            Course::Opening | Course::Asking(_) => self.began.elapsed(),
        }
    }

    fn begin(lot: Ask, terms: Terms, last: &Last) -> Self {
        info!(target: TARGET, "ASK all bidders for {}, {}", lot.item, lot.condition);
        let mut begun = Self { number: 1, lot, terms, began: Instant::now(), course: Course::Opening };
        last.send_modify(|last| {
            begun.number += last.as_ref().map_or(0, |last| last.number);
            *last = Some(Arc::new(begun.clone()));
        });
        begun
    }

    async fn run(mut self, auctioneer: &Auctioneer, last: &Last) {
        let mut legs = match auctioneer.open(self.lot.clone(), self.terms).await {
            Ok(legs) => legs,
            Err(error) => {
                let why = auctioneer.why_nobody(&error);
                return self.end(Course::Nobody { why, elapsed: error.elapsed() }, last);
            }
        };
        let asked = |bidder: &Arc<Instance>| Asked { bidder: Arc::clone(bidder), standing: None };
        let mut all: Vec<_> = legs.keys().map(asked).collect();
        self.course = Course::Asking(all.clone());
        self.show(last);
        while let Some(leg) = legs.next().await {
            let standing = Arc::new(Standing::of(leg));
            if let Some(asked) = all.iter_mut().find(|asked| asked.bidder.id == standing.bidder.id) {
                asked.standing = Some(standing);
            }
            self.course = Course::Asking(all.clone());
            self.show(last);
        }
        let award = Award::of(&legs.whole().await);
        self.end(Course::Over(Arc::new(award)), last);
    }

    fn end(mut self, course: Course, last: &Last) {
        let Ask { item, condition } = &self.lot;
        self.course = course;
        info!(target: TARGET, "WAITED {} ms", self.elapsed().as_millis());
        match &self.course {
            Course::Over(award) => match &award.winner {
                Some(bid) => info!(target: TARGET, "GOT {item}, {condition}: {} by {}", bid.amount, bid.bidder),
                None => info!(target: TARGET, "BAD {item}, {condition}: {}", award.reason()),
            },
            Course::Nobody { why, .. } => info!(target: TARGET, "BAD {item}, {condition}: {why}"),
            Course::Opening | Course::Asking(_) => {}
        }
        self.show(last);
    }

    /// An auction must not take the place of one that began after it.
    fn show(&self, last: &Last) {
        last.send_if_modified(|last| {
            let newest = last.as_ref().is_none_or(|last| last.number <= self.number);
            if newest {
                *last = Some(Arc::new(self.clone()));
            }
            newest
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_auction_that_ends_late_does_not_hide_one_that_began_after_it() {
        let last = Last::default();
        let begin = |item| Auction::begin(Ask::new(item, "good"), Terms::default(), &last);
        let (first, second) = (begin("car"), begin("van"));
        first.end(Course::Nobody { why: "no bidder is registered".to_owned(), elapsed: Duration::ZERO }, &last);
        let shown = || last.borrow().clone().expect("an auction");
        assert_eq!((shown().number, shown().lot.item.as_str(), shown().runs()), (2, "van", true));
        second.end(Course::Nobody { why: String::new(), elapsed: Duration::ZERO }, &last);
        assert!(!shown().runs());
    }
}
