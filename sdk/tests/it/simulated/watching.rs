//! A watch over streams that end.

use std::time::Duration;

use mainstay::contracts::ratings::Ratings;
use mainstay::testing::Network;
use mainstay::{Client, Event, Events, GoneReason, Presence};
use tokio::time::{Instant, sleep, timeout};

use super::Registry;
use crate::log::Log;

const SECOND: Duration = Duration::from_secs(1);
const ALL: &str = "/v1/services/ratings/watch";

fn world() -> (Registry, Client<Ratings>, Events) {
    let network = Network::new();
    let registry = Registry::start(&network, "10.1.0.1:8500");
    let client = Client::<Ratings>::builder().registry(registry.process.address()).network(network).build().unwrap();
    let events = client.events();
    (registry, client, events)
}

/// The next event that is not about the registry, without address.
async fn next(events: &mut Events) -> String {
    loop {
        let event: Event = timeout(600 * SECOND, events.next()).await.expect("an event").unwrap();
        let line = event.to_string();
        if !line.starts_with("REGISTRY") {
            return line.replace(": http://10.0.0.", " at ").replace(":80", "");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_watch_goes_on_where_it_ended() {
    let (registry, _client, mut events) = world();
    registry.put_quietly(1, Presence::Up);
    registry.put_quietly(2, Presence::Up);
    assert_eq!(next(&mut events).await, "UP ratings instance 1 at 1");
    assert_eq!(next(&mut events).await, "UP ratings instance 2 at 2");
    registry.put(3, Presence::Up);
    assert_eq!(next(&mut events).await, "UP ratings instance 3 at 3");
    assert_eq!(registry.asked(), [ALL]);

    registry.process.kill();
    registry.put(2, Presence::Silent);
    registry.remove(1, GoneReason::ConnectionClosed);
    sleep(60 * SECOND).await;
    registry.process.resume();
    assert_eq!(next(&mut events).await, "SILENT ratings instance 2 at 2");
    // A snapshot could only say that it has left.
    assert_eq!(next(&mut events).await, "GONE ratings instance 1 at 1 (connection closed)");
    assert_eq!(registry.asked(), ["/v1/services/ratings/watch?epoch=1&revision=3"]);

    // A bookmark moves on too, over what was nothing to this service.
    registry.lose([]);
    registry.bookmark();
    sleep(SECOND).await;
    registry.hang_up();
    sleep(SECOND).await;
    assert_eq!(registry.asked(), ["/v1/services/ratings/watch?epoch=1&revision=6"]);

    // Too much has changed since, or it is another epoch: all there is.
    registry.process.kill();
    sleep(SECOND).await;
    registry.put(4, Presence::Up);
    registry.put(5, Presence::Up);
    registry.forget_changes();
    registry.process.resume();
    assert_eq!(next(&mut events).await, "UP ratings instance 4 at 4");
    assert_eq!(next(&mut events).await, "UP ratings instance 5 at 5");
    registry.restart();
    sleep(SECOND).await;
    registry.hang_up();
    sleep(SECOND).await;
    let watch = |cursor: &str| format!("{ALL}?{cursor}");
    assert_eq!(registry.asked(), ["epoch=1&revision=6", "epoch=1&revision=8", "epoch=2&revision=0"].map(watch));
}

#[tokio::test(start_paused = true)]
async fn what_was_not_told_is_found_out_by_a_bookmark() {
    let log = Log::listen();
    let (registry, _client, mut events) = world();
    registry.put_quietly(1, Presence::Up);
    assert_eq!(next(&mut events).await, "UP ratings instance 1 at 1");
    registry.put_quietly(2, Presence::Up);
    registry.bookmark();
    assert_eq!(next(&mut events).await, "UP ratings instance 2 at 2");
    registry.bookmark();
    sleep(SECOND).await;
    assert_eq!(registry.asked(), [ALL, ALL]);
    assert_eq!(
        log.warnings(),
        ["the list of ratings is not the one at http://10.1.0.1:8500, at revision 2: looking anew"]
    );
}

#[tokio::test(start_paused = true)]
async fn a_registry_that_sums_up_otherwise_costs_a_few_snapshots() {
    let log = Log::listen();
    let (registry, client, mut events) = world();
    registry.keep_speaking();
    registry.lie(true);
    registry.put_quietly(1, Presence::Up);
    assert_eq!(next(&mut events).await, "UP ratings instance 1 at 1");
    sleep(3600 * SECOND).await;
    let asked = registry.asked();
    assert!((5..=12).contains(&asked.len()), "{}", asked.len());
    assert_eq!(log.warnings().len(), 1, "said once");
    assert!(client.snapshot().registry.unwrap().reachable, "it is there all the same");

    registry.lie(false);
    sleep(60 * SECOND).await;
    registry.lie(true);
    sleep(60 * SECOND).await;
    assert_eq!(log.warnings().len(), 1, "said again when it had agreed");
}

#[tokio::test(start_paused = true)]
async fn a_registry_that_stops_is_left_alone_for_as_long_as_it_says() {
    let (registry, client, mut events) = world();
    registry.put_quietly(1, Presence::Up);
    assert_eq!(next(&mut events).await, "UP ratings instance 1 at 1");
    for (said, waited) in [(SECOND * 7, SECOND * 7), (SECOND * 3600, SECOND * 30)] {
        registry.asked();
        registry.close(said);
        let closed = Instant::now();
        while client.snapshot().registry.unwrap().reachable {
            sleep(Duration::from_millis(1)).await;
        }
        while registry.asked().is_empty() {
            sleep(Duration::from_millis(1)).await;
        }
        let away = closed.elapsed();
        assert!(away >= waited && away < waited + SECOND, "{away:?}");
    }
    registry.put(2, Presence::Up);
    assert_eq!(next(&mut events).await, "UP ratings instance 2 at 2");
}
