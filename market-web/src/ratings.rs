//! The ratings service, as the Market calls it: the one file here that calls through the SDK.
//!
//! The SDK picks the instance, steps around the ones that fail and keeps the last good answers. What is left
//! to do is to ask, and to tell it on the console. A page is a gather with a leg for each thing.

use std::io;
use std::time::Duration;

use mainstay::contracts::ratings::{GetRating, Rating, Ratings as Contract};
use mainstay::gather::Outcome as Leg;
use mainstay::{Address, Client, Error, Fetched, Origin, Service as _};
use tokio::time::Instant;
use tracing::info;

use crate::catalog::THINGS;
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

    /// The client, for whoever wants to see what it knows.
    pub(crate) fn client(&self) -> &Client<Contract> {
        &self.0
    }

    /// Asks for the ratings of all things at once; each leg is told as it ends. The answers are in the order of the
    /// things.
    pub(crate) async fn ask_all(&self) -> Vec<Asked> {
        let began = Instant::now();
        for thing in &THINGS {
            tell_asking(thing.id);
        }
        let calls = THINGS.iter().map(|thing| (thing.id, GetRating::new(thing.id)));
        let mut legs = match self.0.gather_calls(calls).start().await {
            Ok(legs) => legs,
            Err(error) => {
                let all = THINGS.iter().map(|thing| thing.id);
                return all.map(|thing| told(thing, began, began.elapsed(), &Leg::Failed(error.clone()))).collect();
            }
        };
        let mut asked = Vec::with_capacity(THINGS.len());
        while let Some(leg) = legs.next().await {
            asked.push(told(leg.key, began, leg.at, &leg.outcome));
        }
        asked.sort_by_key(|asked| asked.thing);
        asked
    }

    /// Asks for the rating of one thing.
    pub(crate) async fn ask(&self, thing: &'static str) -> Asked {
        let began = Instant::now();
        tell_asking(thing);
        let leg = Leg::from(self.0.call(GetRating::new(thing)).await);
        told(thing, began, began.elapsed(), &leg)
    }
}

fn tell_asking(thing: &str) {
    info!(target: TARGET, "ASK for {thing}");
}

/// What a call that has just ended brought, once the console has it.
fn told(thing: &'static str, began: Instant, elapsed: Duration, leg: &Leg<Rating>) -> Asked {
    info!(target: TARGET, "WAITED {} ms", elapsed.as_millis());
    let rated = leg.answer().map(rated);
    let error = match leg.answer().map(|fetched| &fetched.from) {
        Some(Origin::LastGood { reason }) => Some(reason),
        Some(Origin::Live) => None,
        None => leg.error(),
    };
    let (instance, outcome, reason) = match (error, leg) {
        (Some(error), _) => (error.instance().map(|instance| instance.number), outcome(error), Some(reason(error))),
        (None, Leg::Answered(fetched)) => (Some(fetched.instance.number), Outcome::Answered, None),
        (None, other) => {
            (None, Outcome::Failed, Some(Reason { short: other.name().to_owned(), full: other.to_string() }))
        }
    };
    match (&reason, rated) {
        (Some(reason), _) => info!(target: TARGET, "BAD {thing}: {}", reason.full),
        (None, Some(rated)) => info!(target: TARGET, "GOT {thing}: {:.1}", rated.stars),
        (None, None) => {}
    }
    let source = match (&reason, rated) {
        (None, _) => Source::Live,
        (Some(_), Some(_)) => Source::LastGood,
        (Some(_), None) => Source::None,
    };
    Asked { thing, source, rated, reason, instance, began, elapsed, outcome }
}

fn rated(fetched: &Fetched<Rating>) -> Rated {
    let now = Instant::now();
    Rated {
        stars: fetched.value.rating.get(),
        instance: fetched.instance.number,
        said: now.checked_sub(fetched.age).unwrap_or(now),
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
