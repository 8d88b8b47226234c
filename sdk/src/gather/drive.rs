//! The legs of a gather while they are under way, whoever drives them.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::stream::{FuturesUnordered, StreamExt as _};
use tokio::time::Instant;

use super::{Asking, Completion, Outcome};

/// How many legs of one gather are under way at once; further ones begin when others end. Each may take a connection,
/// and with them one of the some thousand files that a process may open.
const AT_ONCE: usize = 512;

pub(super) struct Drive<T> {
    under_way: FuturesUnordered<Placed<T>>,
    not_begun: VecDeque<Placed<T>>,
    completion: Completion,
    /// How many answers make it complete.
    wanted: usize,
    answers: usize,
    began: Instant,
    deadline: Duration,
}

/// A leg that has ended, by its place in the order of all, and when.
pub(super) struct Ended<T> {
    pub(super) place: usize,
    pub(super) outcome: Outcome<T>,
    pub(super) at: Duration,
}

impl<T> Drive<T> {
    pub(super) fn new(began: Instant, deadline: Duration, completion: Completion, legs: Vec<Asking<T>>) -> Self {
        let wanted = completion.wanted(legs.len());
        let mut placed = legs.into_iter().enumerate().map(|(place, asking)| Placed { place, asking });
        let under_way = placed.by_ref().take(AT_ONCE).collect();
        Self { under_way, not_begun: placed.collect(), completion, wanted, answers: 0, began, deadline }
    }

    /// Goes on until the gather is over, and tells each leg that ends. Those that are left are dropped, as if their
    /// caller had gone. Says when it was over.
    pub(super) async fn run(mut self, mut tell: impl FnMut(Ended<T>)) -> Duration {
        while !self.is_over()
            && let Some((place, outcome)) = self.under_way.next().await
        {
            self.under_way.extend(self.not_begun.pop_front());
            self.answers += usize::from(outcome.answer().is_some());
            tell(Ended { place, outcome, at: self.began.elapsed() });
        }
        self.began.elapsed()
    }

    fn is_over(&self) -> bool {
        self.answers >= self.wanted || self.is_hopeless()
    }

    fn is_hopeless(&self) -> bool {
        let left = self.under_way.len() + self.not_begun.len();
        let quorum = matches!(self.completion, Completion::Quorum(_) | Completion::Majority);
        // At the deadline the legs end by themselves, and not because one of them was the first to.
        quorum && self.answers + left < self.wanted && self.began.elapsed() < self.deadline
    }
}

/// A leg under way.
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
