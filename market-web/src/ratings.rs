//! The ratings service, as the Market calls it: the one file here that calls through the SDK.
//!
//! The SDK picks the instance, steps around the ones that fail and keeps the last good answers. What is left
//! to do is to ask, and to tell it on the console.

use std::io;
use std::time::Duration;

use mainstay::contracts::ratings::{GetRating, Ratings as Contract};
use mainstay::{Address, BreakerState, Client, Error, Fetched, Origin, Presence, Service as _, Snapshot};
use tokio::time::Instant;
use tracing::info;

use crate::page::{Asked, Outcome, Rated, Reason, Source};
use crate::tape::TARGET;

/// The longest a call can take.
pub(crate) const DEADLINE: Duration = Contract::POLICY.deadline();

/// A client of the ratings service.
#[derive(Debug, Clone)]
pub(crate) struct Ratings(Client<Contract>);

impl Ratings {
    /// A client that finds the instances through this registry.
    pub(crate) fn new(registry: Address) -> io::Result<Self> {
        Client::<Contract>::builder().registry(registry).build().map(Self).map_err(io::Error::other)
    }

    /// What is known of the instances. Reading it changes nothing.
    pub(crate) fn snapshot(&self) -> Snapshot {
        self.0.snapshot()
    }

    /// Asks for the rating of a thing.
    pub(crate) async fn ask(&self, thing: &'static str) -> Asked {
        info!(target: TARGET, "ASK for {thing}");
        let began = Instant::now();
        let answer = self.0.call(GetRating::new(thing)).await;
        let elapsed = began.elapsed();
        info!(target: TARGET, "WAITED {} ms", elapsed.as_millis());

        let (rated, error) = match answer {
            Ok(fetched) => (Some(rated(&fetched)), not_live(fetched.from)),
            Err(error) => (None, Some(error)),
        };
        let reason = error.as_ref().map(reason);
        match (&reason, rated) {
            (Some(reason), _) => info!(target: TARGET, "BAD {thing}: {}", reason.full),
            (None, Some(rated)) => info!(target: TARGET, "GOT {thing}: {:.1}", rated.stars),
            (None, None) => {}
        }
        let source = match (&error, rated) {
            (None, _) => Source::Live,
            (Some(_), Some(_)) => Source::LastGood,
            (Some(_), None) => Source::None,
        };
        let (instance, outcome) = match &error {
            None => (rated.map(|rated| rated.instance), Outcome::Answered),
            Some(error) => (error.instance().map(|instance| instance.number), outcome(error)),
        };
        Asked { thing, source, rated, reason, instance, began, elapsed, outcome }
    }

    /// Resolves when the instances of these numbers are up and their breakers closed.
    pub(crate) async fn answering(&self, numbers: &[u32]) {
        // Listening starts before looking, so that nothing happens in between unheard.
        let mut events = self.0.events();
        while !self.all_answer(numbers) && events.next().await.is_some() {}
    }

    fn all_answer(&self, numbers: &[u32]) -> bool {
        let known = self.snapshot().instances;
        numbers.iter().all(|number| {
            known.iter().any(|view| {
                view.instance.number == *number
                    && view.presence == Presence::Up
                    && view.breaker.state == BreakerState::Closed
            })
        })
    }
}

fn rated(fetched: &Fetched<mainstay::contracts::ratings::Rating>) -> Rated {
    let now = Instant::now();
    Rated {
        stars: fetched.value.rating.get(),
        instance: fetched.instance.number,
        said: now.checked_sub(fetched.age).unwrap_or(now),
    }
}

fn not_live(from: Origin) -> Option<Error> {
    match from {
        Origin::Live => None,
        Origin::LastGood { reason } => Some(reason),
    }
}

fn outcome(error: &Error) -> Outcome {
    if error.is_down() {
        Outcome::Down
    } else if error.is_timeout() {
        Outcome::TimedOut
    } else {
        Outcome::Failed
    }
}

fn reason(error: &Error) -> Reason {
    if error.is_down() {
        return Reason { short: String::new(), full: "all services are down".to_owned() };
    }
    let who = error.instance().map(|instance| format!("#{}", instance.number)).unwrap_or_default();
    let what = match error.status() {
        Some(status) => format!("answered {}", status.as_u16()),
        None if error.is_timeout() => "timed out".to_owned(),
        None if error.is_refused() => "refused".to_owned(),
        None => "failed".to_owned(),
    };
    Reason { short: format!("{who} {what}").trim_start().to_owned(), full: error.to_string() }
}
