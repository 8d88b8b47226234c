//! Ask many, and answer in time.
//!
//! A gather is a set of *legs*: all instances of a service ([`Client::gather`]), or a list of calls under keys of
//! the caller's own ([`Client::gather_calls`]). All begin at once, each with its own permit, and each ends in an
//! [`Outcome`]. The gather ends when it is [complete](Completion), and at its deadline at the latest.
//!
//! ```
//! # use mainstay::testing::{Answer, Network};
//! use std::time::Duration;
//! use mainstay::Client;
//! use mainstay::contracts::bidding::{Ask, Bidding, Offer};
//!
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() -> Result<(), mainstay::Error> {
//! # let network = Network::new();
//! # let one = network.instance("10.0.0.1:80", |_| Answer::ok(r#"{"Bid":50}"#));
//! # let two = network.instance("10.0.0.2:80", |_| Answer::ok(r#"{"Bid":"many"}"#));
//! # let bidders = Client::<Bidding>::builder().fixed([one.address(), two.address()]).network(network).build().unwrap();
//! let bids = bidders.gather(Ask::new("car", "good")).judge(Offer::bid).deadline(Duration::from_secs(1)).await?;
//! for leg in bids.legs() {
//!     println!("bidder {}: {}", leg.key.number, leg.outcome);
//! }
//! let (bidder, bid) = bids.highest(|bid| *bid).expect("a bid");
//! assert_eq!((bidder.number, bid.value), (1, 50));
//! # Ok(())
//! # }
//! ```
//!
//! Awaited, the legs are futures within the caller's own. [Started](Gather::start), they run in one task of the
//! gather's, which ends with it. What was rejected: a task per leg (it outlives whoever asked), and one timeout around
//! all (it takes the answers that are there with it, and the breakers' verdicts).
//!
//! # Legs and breakers
//!
//! A leg is a call like any other: it has a permit, and its outcome is the breaker's business by the same rules. A
//! leg that is cut off, because the deadline came, the gather was complete, or its caller has gone, before its
//! instance had the policy's timeout, is not that instance's fault yet: one such attempt for each instance goes on
//! in the background until it has. It does so as long as the client is there.
//!
//! At most 512 legs of one gather are under way at once; further ones begin when others end. One that never began
//! before the deadline has timed out, and its error says that there was no attempt.

mod drive;
mod gathered;
mod gathering;
mod outcome;

use std::fmt;
use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use mainstay_contracts::registry::Instance;
use mainstay_contracts::{Call, Service};
use tokio::time::Instant;

use self::drive::{Drive, Ended};
pub use self::gathered::{Gathered, Leg};
pub use self::gathering::{Gathering, Legs};
pub use self::outcome::Outcome;
use crate::call;
use crate::client::Client;
use crate::error::Error;
use crate::instance::InstanceState;

/// When a gather is complete, so that the legs still under way are cancelled. The deadline ends it in any case, and so
/// does the last leg.
///
/// What counts is a leg that [answered](Outcome::Answered): a decline, a rejection or a failure does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Completion {
    /// When every leg has ended: nobody is cancelled.
    #[default]
    All,
    /// As soon as so many have answered. With 0, nobody is asked.
    First(usize),
    /// As soon as so many have answered, or so few are left that they never will.
    Quorum(usize),
    /// The quorum of more than half of the legs.
    Majority,
}

/// A gather that has not begun: it does so when it is awaited, or [started](Gather::start).
///
/// | Setting | Default | Range |
/// |---|---|---|
/// | [`deadline`](Gather::deadline) | the [policy's](mainstay_contracts::Policy::deadline) | up to 1 h; with 0, nobody is asked |
/// | [`complete`](Gather::complete) | [`Completion::All`] | |
/// | [`judge`](Gather::judge) | whatever the contract's response is, is an answer | |
///
/// It holds the client it was made from, and so do its legs.
#[must_use = "a gather does nothing until it is awaited or started"]
pub struct Gather<K, T> {
    begin: Begin<K, T>,
    deadline: Duration,
    completion: Completion,
}

type BoxFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// Finds out who is asked, and prepares to ask them, given the deadline.
type Begin<K, T> = Box<dyn FnOnce(Instant) -> BoxFuture<Result<Prepared<K, T>, Error>> + Send>;

/// The keys of the legs, and the legs, in the same order.
type Prepared<K, T> = (Vec<K>, Vec<Asking<T>>);

/// A leg, which begins when it is polled.
type Asking<T> = BoxFuture<Outcome<T>>;

impl<S: Service> Client<S> {
    /// Asks every instance the same: a leg for each that is there and does not drain, by number. The call is
    /// encoded once.
    ///
    /// There are no retries elsewhere and no last good answers: each leg is that instance's own.
    pub fn gather<C: Call<Service = S>>(&self, call: C) -> Gather<Arc<Instance>, C::Response> {
        let client = self.clone();
        Gather::new(client.policy().deadline(), move |deadline| async move {
            let core = client.core();
            let (request, ready) = call::everybody(core, &call, deadline).await?;
            let leg = |state: &Arc<InstanceState>| -> (Arc<Instance>, Asking<_>) {
                let (client, state, request) = (client.clone(), Arc::clone(state), request.another());
                let instance = state.instance();
                let asking = async move { call::ask(client.core(), &state, request, deadline).await.into() };
                (instance, Box::pin(asking))
            };
            Ok(ready.each().map(leg).unzip())
        })
    }

    /// Makes several calls at once: a leg for each, in the order given, and under its key.
    ///
    /// Each is as [`call`](Client::call) would make it, on an instance of the client's choice, with another in case
    /// of failure, and the last good answer in the end; see [`Fetched::is_live`](crate::Fetched::is_live).
    pub fn gather_calls<K, C>(&self, calls: impl IntoIterator<Item = (K, C)>) -> Gather<K, C::Response>
    where
        K: Send + 'static,
        C: Call<Service = S>,
    {
        let client = self.clone();
        let calls: Vec<_> = calls.into_iter().collect();
        Gather::new(client.policy().deadline(), move |deadline| async move {
            let leg = |(key, call)| -> (K, Asking<_>) {
                let client = client.clone();
                (key, Box::pin(async move { call::call(client.core(), &call, Instant::now(), deadline).await.into() }))
            };
            Ok(calls.into_iter().map(leg).unzip())
        })
    }
}

impl<K: Send + 'static, T: Send + 'static> Gather<K, T> {
    fn new<F>(deadline: Duration, begin: impl FnOnce(Instant) -> F + Send + 'static) -> Self
    where
        F: Future<Output = Result<Prepared<K, T>, Error>> + Send + 'static,
    {
        let begin = Box::new(|deadline| -> BoxFuture<_> { Box::pin(begin(deadline)) });
        Self { begin, deadline, completion: Completion::All }
    }

    /// Sets the longest it may take from its start, resolving included; a longer one than an hour is an hour.
    ///
    /// Each leg that asks an instance has the policy's timeout at most, however long the deadline.
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline.min(LONGEST);
        self
    }

    /// Sets when it is complete.
    pub fn complete(mut self, completion: Completion) -> Self {
        self.completion = completion;
        self
    }

    /// Judges every answer: `Ok(Some(value))` is one, `Ok(None)` a [decline](Outcome::Declined), and `Err(why)` is
    /// [rejected](Outcome::Rejected). None of it is a failure of the instance, which has answered.
    pub fn judge<U, E, J>(self, judge: J) -> Gather<K, U>
    where
        U: Send + 'static,
        E: fmt::Display,
        J: Fn(T) -> Result<Option<U>, E> + Send + Sync + 'static,
    {
        let judge = Arc::new(judge);
        let Self { begin, deadline, completion } = self;
        let judged = move |deadline| async move {
            let (keys, legs) = begin(deadline).await?;
            let judged = |asking: Asking<T>| -> Asking<U> {
                let judge = Arc::clone(&judge);
                Box::pin(async move { asking.await.judged(&*judge) })
            };
            Ok((keys, legs.into_iter().map(judged).collect()))
        };
        Gather { completion, ..Gather::new(deadline, judged) }
    }

    /// Begins, in a task that ends with the [`Gathering`].
    ///
    /// Cancel safe: dropped, nobody has been asked.
    ///
    /// # Errors
    /// When there is no instance to ask: none is known, none was known in time, or the call does not fit its route. A
    /// list of calls always begins.
    pub async fn start(self) -> Result<Gathering<K, T>, Error> {
        let began = Instant::now();
        let prepared = (self.begin)(began + self.deadline).await?;
        Ok(Gathering::start(began, self.deadline, self.completion, prepared))
    }

    async fn whole(self) -> Result<Gathered<K, T>, Error> {
        let Self { begin, deadline, completion } = self;
        let began = Instant::now();
        let (keys, legs) = begin(began + deadline).await?;
        let mut ended: Vec<_> = legs.iter().map(|_| None).collect();
        let drive = Drive::new(began, deadline, completion, legs);
        let elapsed = drive.run(|Ended { place, outcome, at }| ended[place] = Some((outcome, at))).await;
        let leg = |(key, ended): (K, Option<_>)| {
            let (outcome, at) = ended.unwrap_or((Outcome::Cancelled, elapsed));
            Leg { key, outcome, at }
        };
        let legs = keys.into_iter().zip(ended).map(leg).collect();
        Ok(Gathered { legs, completion, deadline, elapsed })
    }
}

/// Longer waits are no waits for an answer.
const LONGEST: Duration = Duration::from_secs(60 * 60);

impl<K: Send + 'static, T: Send + 'static> IntoFuture for Gather<K, T> {
    type Output = Result<Gathered<K, T>, Error>;
    type IntoFuture = BoxFuture<Self::Output>;

    /// Begins, and waits for the end.
    ///
    /// Cancel safe: dropped, it is as if every leg's caller had gone.
    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.whole())
    }
}

impl<K, T> fmt::Debug for Gather<K, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gather")
            .field("deadline", &self.deadline)
            .field("completion", &self.completion)
            .finish_non_exhaustive()
    }
}
