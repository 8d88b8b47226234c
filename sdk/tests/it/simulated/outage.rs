//! Calls while the registry is away, or knows less than it did.

use std::time::Duration;

use mainstay::contracts::ratings::Ratings;
use mainstay::testing::{Answer, Network, SimulatedInstance, assert_settled};
use mainstay::{Client, GoneReason, Presence};
use tokio::time::sleep;

use super::Registry;
use crate::common::{RATING, camera};

const SECOND: Duration = Duration::from_secs(1);

struct World {
    registry: Registry,
    instances: Vec<SimulatedInstance>,
    client: Client<Ratings>,
}

/// A registry that knows so many instances, and a client that has heard of them.
async fn world(count: u32) -> World {
    let network = Network::new();
    let registry = Registry::start(&network, "10.1.0.1:8500");
    registry.keep_speaking();
    let instance = |number: u32| {
        registry.put_quietly(number, Presence::Up);
        network.instance(&format!("10.0.0.{number}:80"), |_| Answer::ok(RATING))
    };
    let instances = (1..=count).map(instance).collect();
    let client = Client::builder().registry(registry.process.address()).network(network).build().unwrap();
    camera(&client).await.unwrap();
    World { registry, instances, client }
}

impl World {
    /// Calls for so long, twice a second, each of them answered live.
    async fn call_for(&self, long: Duration) {
        for _ in 0..long.as_millis() / 500 {
            let fetched = camera(&self.client).await.expect("an answer");
            assert!(fetched.is_live(), "{:?}", fetched.reason());
            sleep(SECOND / 2).await;
        }
    }

    fn asked(&self) -> Vec<u64> {
        self.instances.iter().map(SimulatedInstance::requests).collect()
    }

    fn present(&self) -> Vec<u32> {
        let instances = self.client.snapshot().instances;
        let present = instances.iter().filter(|view| view.presence != Presence::Gone);
        present.map(|view| view.instance.number).collect()
    }
}

#[tokio::test(start_paused = true)]
async fn a_registry_that_is_dead_for_ten_minutes_fails_no_call() {
    let world = world(3).await;
    world.registry.process.kill();
    world.call_for(600 * SECOND).await;
    let registry = world.client.snapshot().registry.unwrap();
    assert!(!registry.reachable && registry.age >= 599 * SECOND);
    assert_eq!(world.present(), [1, 2, 3]);
    world.registry.process.resume();
    world.call_for(SECOND).await;
    assert!(world.client.snapshot().registry.unwrap().reachable);
    assert_settled(&world.client).await;
}

#[tokio::test(start_paused = true)]
async fn a_registry_that_starts_for_ever_with_an_empty_list_empties_nobody() {
    let world = world(3).await;
    for _ in 0..100 {
        world.registry.restart();
        world.call_for(5 * SECOND).await;
        assert_eq!(world.present(), [1, 2, 3]);
    }
    // One of them has come back, and this registry stays: the others are gone by the timing table.
    world.registry.put(2, Presence::Up);
    world.call_for(99 * SECOND).await;
    assert_eq!(world.present(), [1, 2, 3]);
    world.call_for(3 * SECOND).await;
    assert_eq!(world.present(), [2]);
    assert_settled(&world.client).await;
}

#[tokio::test(start_paused = true)]
async fn a_registry_that_has_lost_many_without_a_word_is_not_believed_at_once() {
    let world = world(10).await;
    world.registry.lose(1..=3);
    world.registry.hang_up();
    world.call_for(SECOND).await;
    assert_eq!(world.present(), [4, 5, 6, 7, 8, 9, 10], "so many may have left meanwhile");

    world.registry.lose(4..=10);
    for _ in 0..10 {
        world.registry.hang_up();
        world.call_for(10 * SECOND).await;
    }
    assert_eq!(world.present(), [4, 5, 6, 7, 8, 9, 10]);
    // What it says of each is believed, whatever else.
    world.registry.remove(4, GoneReason::Left);
    world.call_for(SECOND).await;
    assert_eq!(world.present(), [5, 6, 7, 8, 9, 10]);
    world.registry.put(5, Presence::Up);
    world.call_for(10 * SECOND).await;
    assert_eq!(world.present(), [5]);
    assert_settled(&world.client).await;
}

#[tokio::test(start_paused = true)]
async fn who_drains_gets_no_new_calls_and_finishes_what_it_has() {
    let network = Network::new();
    let registry = Registry::start(&network, "10.1.0.1:8500");
    registry.keep_speaking();
    let slow = network.instance("10.0.0.1:80", |_| Answer::ok(RATING).after(SECOND / 2));
    registry.put_quietly(1, Presence::Up);
    let client =
        Client::<Ratings>::builder().registry(registry.process.address()).network(network.clone()).build().unwrap();
    let calling = tokio::spawn({
        let client = client.clone();
        async move { camera(&client).await }
    });
    sleep(SECOND / 10).await;
    let other = network.instance("10.0.0.2:80", |_| Answer::ok(RATING));
    registry.put(2, Presence::Up);
    registry.put(1, Presence::Draining);
    sleep(SECOND / 10).await;

    let world = World { registry, instances: vec![slow, other], client };
    let before = world.asked();
    world.call_for(10 * SECOND).await;
    assert_eq!(calling.await.unwrap().unwrap().instance.number, 1);
    assert_eq!(world.asked(), [before[0], before[1] + 20]);
    let gathered = world.client.gather(mainstay::contracts::ratings::GetRating::new("camera")).await.unwrap();
    assert_eq!(gathered.legs().iter().map(|leg| leg.key.number).collect::<Vec<_>>(), [2]);

    // With nobody else left it still serves.
    world.registry.remove(2, GoneReason::Left);
    sleep(SECOND / 10).await;
    let before = world.asked();
    world.call_for(SECOND).await;
    assert_eq!(world.asked(), [before[0] + 2, before[1]]);
    assert_settled(&world.client).await;
}
