//! Many callers on many threads: no permit is lost, no breaker is stuck, and every event has its place.

use std::time::Duration;

use http::StatusCode;
use mainstay::contracts::ratings::Ratings;
use mainstay::testing::{Answer, Network, assert_settled};
use mainstay::{BreakerState, Service};
use tokio::time::{sleep, timeout};

use crate::common::{RATING, camera, client, turn};

const CALLERS: usize = 16;
const CALLS: usize = 1_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn breakers_keep_their_order_under_load() {
    let network = Network::new();
    let instance = |number: u32| {
        network.instance(&format!("10.0.0.{number}:80"), |target| match target {
            "/health" => Answer::ok("{}"),
            _ if fastrand::u8(..) < 8 => Answer::status(StatusCode::INTERNAL_SERVER_ERROR),
            _ => Answer::ok(RATING),
        })
    };
    let instances: Vec<_> = (1..=3).map(instance).collect();
    let policy = Ratings::POLICY.to_builder().retest_delay(Duration::from_millis(5)).build_const();
    let client = client(&network, &instances, policy);

    let mut events = client.events();
    let told = tokio::spawn(async move {
        let mut told = Vec::new();
        while let Some(event) = events.next().await {
            told.extend(turn(&event));
        }
        told
    });
    let callers = (0..CALLERS).map(|_| {
        let client = client.clone();
        tokio::spawn(async move {
            for call in 0..CALLS {
                // Some callers leave in the middle of a call.
                let patience = if call % 16 == 0 { Duration::ZERO } else { Duration::from_secs(5) };
                let _ = timeout(patience, camera(&client)).await;
            }
        })
    });
    for caller in callers.collect::<Vec<_>>() {
        caller.await.unwrap();
    }
    let closed = async {
        while client.snapshot().instances.iter().any(|view| view.breaker.state != BreakerState::Closed) {
            sleep(Duration::from_millis(1)).await;
        }
    };
    timeout(Duration::from_secs(10), closed).await.expect("no breaker is left open");
    // An attempt whose caller has left may still be under way.
    let settled = async {
        while client.snapshot().instances.iter().any(|view| view.permits.out() > 0) {
            sleep(Duration::from_millis(1)).await;
        }
    };
    timeout(Duration::from_secs(10), settled).await.expect("every permit is settled");
    assert_settled(&client).await;

    drop(client);
    let told = told.await.unwrap();
    assert!(told.len() > 30, "hardly anything was tried: {told:?}");
    for number in 1..=3 {
        let own: Vec<_> = told.iter().filter(|turn| turn.ends_with(&number.to_string())).collect();
        for (nth, turn) in own.iter().enumerate() {
            let expected = ["OPEN", "RETEST", "CLOSE"][nth % 3];
            assert!(turn.starts_with(expected), "{expected} was to be the {nth}th of {own:?}");
        }
    }
}
