//! A simulated ratings service and what every test asks of a client at its end.

use std::time::Duration;

use mainstay::contracts::ratings::{GetRating, Rating, Ratings};
use mainstay::testing::{Answer, Network, SimulatedInstance};
use mainstay::{
    BreakerState, Call, Client, Error, Event, EventKind, Events, Fetched, InstanceView, Method, Policy, Service,
};
use serde::{Deserialize, Serialize};

pub(crate) const RATING: &str = r#"{"thing":"camera","rating":4.5}"#;

/// Something that must not be done twice.
#[derive(Serialize, Deserialize)]
pub(crate) struct Order {
    pub(crate) thing: String,
}

pub(crate) struct Orders;
impl Service for Orders {
    const NAME: &'static str = "orders";
}
impl Call for Order {
    type Service = Orders;
    type Response = Rating;
    const METHOD: Method = Method::POST;
    const ROUTE: &'static str = "/orders";
}

/// `count` instances at `10.0.0.N:80`, numbered from 1, and a client that knows them.
pub(crate) fn ratings(count: u32, policy: Policy) -> (Vec<SimulatedInstance>, Client<Ratings>) {
    let network = Network::new();
    let instances: Vec<_> =
        (1..=count).map(|number| network.instance(&format!("10.0.0.{number}:80"), |_| Answer::ok(RATING))).collect();
    let client = client(&network, &instances, policy);
    (instances, client)
}

pub(crate) fn client(network: &Network, instances: &[SimulatedInstance], policy: Policy) -> Client<Ratings> {
    let addresses = instances.iter().map(SimulatedInstance::address);
    Client::builder().fixed(addresses).network(network.clone()).policy(policy).build().unwrap()
}

pub(crate) async fn camera(client: &Client<Ratings>) -> Result<Fetched<Rating>, Error> {
    client.call(GetRating::new("camera")).await
}

/// The Market's page: four calls at once. Returns the number of the instance that answered each.
pub(crate) async fn page(client: &Client<Ratings>) -> Vec<Fetched<Rating>> {
    let calls = [(); 4].map(|()| camera(client));
    futures_util::future::join_all(calls).await.into_iter().map(|fetched| fetched.expect("a rating")).collect()
}

pub(crate) fn numbers(page: &[Fetched<Rating>]) -> Vec<u32> {
    let mut numbers: Vec<_> = page.iter().map(|fetched| fetched.instance.number).collect();
    numbers.sort_unstable();
    numbers
}

pub(crate) fn view(client: &Client<Ratings>, number: u32) -> InstanceView {
    client.snapshot().instances.into_iter().find(|view| view.instance.number == number).expect("a known instance")
}

pub(crate) fn breaker(client: &Client<Ratings>, number: u32) -> BreakerState {
    view(client, number).breaker.state
}

/// The breaker events that are there already, as `OPEN 1`.
pub(crate) async fn turns(events: &mut Events) -> Vec<String> {
    let mut turns = Vec::new();
    // Under paused time, a timer goes off only when everybody else has nothing left to do.
    while let Ok(Some(event)) = tokio::time::timeout(Duration::from_nanos(1), events.next()).await {
        turns.extend(turn(&event));
    }
    turns
}

/// A breaker event as `OPEN 1`.
pub(crate) fn turn(event: &Event) -> Option<String> {
    match &event.kind {
        EventKind::Open { instance, .. } => Some(format!("OPEN {}", instance.number)),
        EventKind::Retest { instance } => Some(format!("RETEST {}", instance.number)),
        EventKind::Close { instance } => Some(format!("CLOSE {}", instance.number)),
        _ => None,
    }
}
