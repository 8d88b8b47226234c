//! A gather under way.

use std::collections::VecDeque;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures_util::stream::{self, FuturesUnordered, Stream, StreamExt as _};
use tokio::time::Instant;

use super::{Asking, Completion, Gathered, Leg, Outcome};

/// How many legs are under way at once; further ones begin when others end. Each takes a connection, and a process
/// may have some thousands.
const AT_ONCE: usize = 512;

/// A gather under way: its legs, as they arrive. They go on only while it is polled.
///
/// Dropped, every leg that is under way ends as if its caller had gone: see [the module](super) for what that means.
#[must_use = "the legs of a gather go on only while it is polled"]
pub struct Gathering<K, T> {
    legs: Vec<Leg<K, T>>,
    /// By place: has this leg been told?
    told: Vec<bool>,
    /// All before this place have been.
    all_told: usize,
    under_way: FuturesUnordered<Placed<T>>,
    not_begun: VecDeque<Placed<T>>,
    answers: usize,
    completion: Completion,
    began: Instant,
    deadline: Duration,
}

/// A leg under way, and its place in the order of all.
struct Placed<T> {
    place: usize,
    asking: Asking<T>,
}

impl<T> Future for Placed<T> {
    type Output = (usize, Outcome<T>);

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let place = self.place;
        self.asking.as_mut().poll(cx).map(|outcome| (place, outcome))
    }
}

impl<K, T> Gathering<K, T> {
    pub(super) fn new(began: Instant, deadline: Duration, completion: Completion, legs: Vec<(K, Asking<T>)>) -> Self {
        let (under_way, mut not_begun) = (FuturesUnordered::new(), VecDeque::new());
        let leg = |(place, (key, asking))| {
            let placed = Placed { place, asking };
            if place < AT_ONCE {
                under_way.push(placed);
            } else {
                not_begun.push_back(placed);
            }
            // What it is, if the gather is complete before it ends.
            Leg { key, outcome: Outcome::Cancelled, at: Duration::ZERO }
        };
        let legs: Vec<_> = legs.into_iter().enumerate().map(leg).collect();
        let told = vec![false; legs.len()];
        Self { legs, told, all_told: 0, under_way, not_begun, answers: 0, completion, began, deadline }
    }

    /// The next leg to end, or `None` when all have. Those that are cancelled come last.
    ///
    /// Cancel safe: no leg is lost.
    pub async fn next(&mut self) -> Option<&Leg<K, T>> {
        let place = std::future::poll_fn(|cx| self.poll_next_place(cx)).await?;
        Some(&self.legs[place])
    }

    /// Waits for the legs that are left, and gives all.
    pub async fn whole(mut self) -> Gathered<K, T> {
        while self.next().await.is_some() {}
        let Self { legs, completion, deadline, .. } = self;
        let elapsed = legs.iter().map(|leg| leg.at).max().unwrap_or_default();
        Gathered { legs, completion, deadline, elapsed }
    }

    /// Every leg as it ends, for whoever needs no more than that.
    pub fn into_stream(self) -> impl Stream<Item = Leg<K, T>> + Send
    where
        K: Clone + Send + 'static,
        T: Send + 'static,
    {
        stream::unfold(self, async |mut gathering| {
            let place = std::future::poll_fn(|cx| gathering.poll_next_place(cx)).await?;
            let Leg { key, outcome, at } = &mut gathering.legs[place];
            let outcome = std::mem::replace(outcome, Outcome::Cancelled);
            Some((Leg { key: key.clone(), outcome, at: *at }, gathering))
        })
    }

    /// How long after its start it ends at the latest.
    pub fn deadline(&self) -> Duration {
        self.deadline
    }

    /// Every leg's key, in their order.
    pub fn keys(&self) -> impl ExactSizeIterator<Item = &K> {
        self.legs.iter().map(|leg| &leg.key)
    }

    fn poll_next_place(&mut self, cx: &mut Context<'_>) -> Poll<Option<usize>> {
        loop {
            if self.is_over() {
                // Dropped, they are not polled any more, and give their permits back.
                self.under_way.clear();
                self.not_begun.clear();
                let Some(after) = self.told[self.all_told..].iter().position(|told| !told) else {
                    return Poll::Ready(None);
                };
                self.all_told += after;
                return Poll::Ready(Some(self.tell(self.all_told, Outcome::Cancelled)));
            }
            let Some((place, outcome)) = ready!(self.under_way.poll_next_unpin(cx)) else { continue };
            self.under_way.extend(self.not_begun.pop_front());
            self.answers += usize::from(outcome.answer().is_some());
            return Poll::Ready(Some(self.tell(place, outcome)));
        }
    }

    fn tell(&mut self, place: usize, outcome: Outcome<T>) -> usize {
        self.told[place] = true;
        self.legs[place].outcome = outcome;
        self.legs[place].at = self.began.elapsed();
        place
    }

    fn is_over(&self) -> bool {
        let left = self.under_way.len() + self.not_begun.len();
        let wanted = self.completion.wanted(self.legs.len());
        left == 0 || self.answers >= wanted || self.is_hopeless(left, wanted)
    }

    /// At the deadline the legs end by themselves, and not because one of them was the first to.
    fn is_hopeless(&self, left: usize, wanted: usize) -> bool {
        let quorum = matches!(self.completion, Completion::Quorum(_) | Completion::Majority);
        quorum && self.answers + left < wanted && self.began.elapsed() < self.deadline
    }
}

impl<K: fmt::Debug, T: fmt::Debug> fmt::Debug for Gathering<K, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gathering")
            .field("legs", &self.legs)
            .field("under_way", &self.under_way.len())
            .field("deadline", &self.deadline)
            .finish_non_exhaustive()
    }
}
