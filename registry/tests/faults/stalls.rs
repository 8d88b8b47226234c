//! A registry that is itself stopped: nobody is the worse for it.

#![expect(clippy::unwrap_used, reason = "what helps a test fails as a test does")]

use std::time::Duration;

use http::StatusCode;
use mainstay_contracts::registry::LeaseId;
use tokio::time::{sleep, timeout};

use crate::client::Client;
use crate::follower::Follower;
use crate::process::{Process, SOON};

/// Holds a lease with one instance, beats, and comes back when its connection breaks: as the SDK does.
async fn live(address: impl Fn() -> Client, number: u16) {
    let lease: LeaseId = format!("process-{number}").parse().unwrap();
    loop {
        let (mut holder, mut client) = (address(), address());
        let held = holder.hold(&lease).await;
        client.register(&format!("r{number}"), number, Some(&lease)).await;
        let beats = async {
            // It gives up on a registry that is silent for a second, and closes its connection.
            while let Ok(Some(StatusCode::OK)) = timeout(Duration::from_secs(1), client.beat(&lease)).await {
                sleep(Duration::from_millis(200)).await;
            }
        };
        beats.await;
        drop(held);
        sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stopped_for_two_leases_nobody_expires() {
    let process = Process::start(&["--silent-after", "1s", "--gone-after", "1s"]).await;
    let port = process.client();
    let mut living = tokio::task::JoinSet::new();
    for number in 1..=50 {
        let address = port.address;
        living.spawn(live(move || Client::new(address), number));
    }
    let mut client = process.client();
    let all_are_there = async {
        while client.list("ratings").await.instances.len() < 50 {
            sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(SOON, all_are_there).await.expect("all register");
    let watcher = process.client();
    let follower = tokio::spawn(async move {
        let mut follower = Follower::default();
        // Two bookmarks after the first, five seconds each, cover the stall and what follows it.
        follower.follow(watcher, |follower| follower.verified >= 2).await;
        follower
    });
    sleep(Duration::from_millis(500)).await;
    process.pause();
    sleep(Duration::from_secs(4)).await;
    process.resume();
    let follower = timeout(SOON, follower).await.expect("it goes on").unwrap();
    assert_eq!((follower.gone, follower.instances.len()), (0, 50), "nobody was told to be gone");
    living.shutdown().await;
}
