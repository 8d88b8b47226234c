//! Several registries that know the same.

use std::time::Duration;

use mainstay::contracts::ratings::Ratings;
use mainstay::testing::{Answer, Network, SimulatedInstance};
use mainstay::{Address, BuildError, Client, Events, Presence, Registration};
use tokio::time::{sleep, timeout};

use super::Registry;
use crate::common::{RATING, camera};
use crate::log::Log;

const SECOND: Duration = Duration::from_secs(1);

struct World {
    network: Network,
    registry: Registry,
    /// The first is the registry's own process.
    others: Vec<SimulatedInstance>,
    _instance: SimulatedInstance,
}

impl World {
    fn new() -> Self {
        let network = Network::new();
        let registry = Registry::start(&network, "10.1.0.1:8500");
        registry.keep_speaking();
        registry.put_quietly(1, Presence::Up);
        let others = ["10.1.0.2:8500", "10.1.0.3:8500"].map(|address| registry.replica(&network, address)).into();
        let instance = network.instance("10.0.0.1:80", |_| Answer::ok(RATING));
        Self { network, registry, others, _instance: instance }
    }

    fn all(&self) -> Vec<&SimulatedInstance> {
        std::iter::once(&self.registry.process).chain(&self.others).collect()
    }

    fn at(&self, address: &Address) -> &SimulatedInstance {
        self.all().into_iter().find(|process| process.address() == *address).unwrap()
    }

    fn client(&self) -> (Client<Ratings>, Events) {
        let addresses = self.all().into_iter().map(SimulatedInstance::address);
        let client = Client::builder().registries(addresses).network(self.network.clone()).build().unwrap();
        let events = client.events();
        (client, events)
    }
}

fn in_use(client: &Client<Ratings>) -> Address {
    client.snapshot().registry.unwrap().address
}

async fn next(events: &mut Events) -> String {
    timeout(600 * SECOND, events.next()).await.expect("an event").unwrap().to_string()
}

#[tokio::test(start_paused = true)]
async fn each_client_begins_with_any_of_them() {
    let world = World::new();
    let clients: Vec<_> = (0..60).map(|_| world.client()).collect();
    let mut used: Vec<_> = clients.iter().map(|(client, _)| in_use(client)).collect();
    used.sort_by_key(Address::to_string);
    used.dedup();
    assert_eq!(used.len(), 3);
}

#[tokio::test(start_paused = true)]
async fn the_next_one_goes_on_where_the_lost_one_ended() {
    let world = World::new();
    let (client, mut events) = world.client();
    camera(&client).await.unwrap();
    let first = in_use(&client);
    assert_eq!(next(&mut events).await, format!("REGISTRY reachable at {first}, for ratings"));
    assert_eq!(next(&mut events).await, "UP ratings instance 1: http://10.0.0.1:80");
    sleep(6 * SECOND).await;
    world.registry.asked();

    world.at(&first).kill();
    let lost = next(&mut events).await;
    assert!(lost.starts_with(&format!("REGISTRY unreachable at {first}, using")), "{lost}");
    let second = in_use(&client);
    assert_ne!(first, second);
    assert_eq!(next(&mut events).await, format!("REGISTRY reachable at {second}, for ratings"));
    assert_eq!(world.registry.asked(), ["/v1/services/ratings/watch?epoch=1&revision=1"]);

    // All are away; one comes back.
    world.all().into_iter().for_each(SimulatedInstance::kill);
    for _ in 0..600 {
        assert!(camera(&client).await.unwrap().is_live());
        sleep(SECOND / 10).await;
    }
    assert!(!client.snapshot().registry.unwrap().reachable);
    world.at(&first).resume();
    let lost = next(&mut events).await;
    assert!(lost.starts_with(&format!("REGISTRY unreachable at {second}, using")), "{lost}");
    assert_eq!(next(&mut events).await, format!("REGISTRY reachable at {first}, for ratings"));
    assert_eq!(in_use(&client), first);
}

#[tokio::test(start_paused = true)]
async fn with_one_left_nobody_waits() {
    for left in 0..3 {
        let world = World::new();
        let dead = world.all().into_iter().enumerate().filter(|(place, _)| *place != left);
        dead.for_each(|(_, process)| process.kill());
        let (client, _events) = world.client();
        let fetched = timeout(SECOND / 100, camera(&client)).await.expect("at once").unwrap();
        assert!(fetched.is_live());
    }
}

#[tokio::test(start_paused = true)]
async fn none_and_too_many_are_refused() {
    let addresses = vec!["10.1.0.1:8500".parse::<Address>().unwrap(); 17];
    for named in [0, 17] {
        let log = Log::listen();
        let addresses = addresses[..named].to_vec();
        let error = Client::<Ratings>::builder().registries(addresses.clone()).build().unwrap_err();
        assert!(matches!(error, BuildError::Registries(count) if count == named));
        assert_eq!(error.to_string(), format!("1 to 16 registries can be named, and these are {named}"));

        let id = "ratings-1".parse().unwrap();
        let registration = Registration::new::<Ratings>(id, "10.0.0.1:80".parse().unwrap()).registries(addresses);
        let lease = registration.start();
        assert_eq!(log.warnings().len(), 1);
        assert!(!lease.is_registered());
        timeout(SECOND / 100, lease.release()).await.expect("at once");
    }
}
