//! `kill -9` while registrations come in: what was acknowledged is there, and nobody's cursor is lost.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "what helps a test fails as a test does, and says its numbers"
)]

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::client::Client;
use crate::follower::Follower;
use crate::process::{Process, SOON};

/// Ids and revisions that were acknowledged, in the order of their acknowledgement.
type Acknowledged = Arc<Mutex<Vec<(String, u64)>>>;

/// Registers one instance after the other, each under a name of its own, and each again until that is acknowledged.
async fn write(mut client: Client, next: Arc<AtomicU64>, most: u64, acknowledged: Acknowledged, stop: Arc<AtomicBool>) {
    while !stop.load(Ordering::Relaxed) {
        let number = next.fetch_add(1, Ordering::Relaxed);
        if number >= most {
            return;
        }
        let (id, port) = (format!("r{number}"), u16::try_from(number % 65_000 + 1).unwrap());
        while !stop.load(Ordering::Relaxed) {
            if let Some(registered) = client.register(&id, port, None).await {
                acknowledged.lock().push((id, registered.revision));
                break;
            }
            sleep(Duration::from_millis(2)).await;
        }
    }
}

async fn rounds(rounds: u32, most: u64) {
    let mut process = Process::start(&[]).await;
    let (acknowledged, next) = (Acknowledged::default(), Arc::new(AtomicU64::new(0)));
    let stop = Arc::new(AtomicBool::new(false));
    let mut writers = JoinSet::new();
    for _ in 0..64 {
        let (next, acknowledged, stop) = (Arc::clone(&next), Arc::clone(&acknowledged), Arc::clone(&stop));
        writers.spawn(write(process.client(), next, most, acknowledged, stop));
    }
    let client = process.client();
    let (told, mut upto) = tokio::sync::watch::channel(u64::MAX);
    let follower = tokio::spawn(async move {
        let mut follower = Follower::default();
        follower.follow(client, move |follower| follower.revision >= *upto.borrow_and_update()).await;
        follower
    });
    let mut slowest = Duration::ZERO;
    for round in 1..=rounds {
        let due = most * u64::from(round) / u64::from(rounds + 1);
        let reached = async {
            while (acknowledged.lock().len() as u64) < due {
                sleep(Duration::from_millis(1)).await;
            }
        };
        timeout(SOON, reached).await.expect("registrations go on");
        slowest = slowest.max(process.kill_and_start().await);
        // In this order: what is acknowledged meanwhile need not be on the list.
        let acknowledged = acknowledged.lock().clone();
        let listing = process.client().list("ratings").await;
        let listed: HashSet<_> = listing.instances.iter().map(|listed| listed.instance.id.as_str()).collect();
        let lost: Vec<_> = acknowledged.iter().filter(|(id, _)| !listed.contains(id.as_str())).collect();
        assert!(lost.is_empty(), "acknowledged and lost: {lost:?}");
        let highest = acknowledged.iter().map(|(_, revision)| *revision).max().unwrap_or_default();
        assert!(listing.revision >= highest, "revision {} after {highest}", listing.revision);
    }
    timeout(SOON * 4, async { while writers.join_next().await.is_some() {} }).await.expect("they end");
    let listing = process.client().list("ratings").await;
    let acknowledged = acknowledged.lock().clone();
    assert_eq!((listing.instances.len() as u64, acknowledged.len() as u64), (most, most));
    told.send_replace(listing.revision);
    // What it waits for may have come already: one more change wakes it.
    process.client().register("last", 65_001, None).await.unwrap();
    let follower = timeout(SOON, follower).await.expect("it follows to the end").unwrap();
    let mut listing = process.client().list("ratings").await;
    listing.instances.retain(|listed| follower.instances.contains_key(&listed.instance.id));
    follower.agrees_with(&listing);
    assert_eq!((follower.gone, follower.doubtful), (0, 0));
    assert_eq!(follower.snapshots, 1, "a cursor goes on: {follower:?}");
    assert!(follower.resumed >= 1, "{follower:?}");
    println!(
        "registry                                 {most} acknowledged, 0 lost, 0 revisions back; a watcher resumed {} \
         times by delta, {} snapshots; answering again in {slowest:?} at most",
        follower.resumed, follower.snapshots
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_survives_sigkill() {
    rounds(3, 2_000).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes a while: scripts/test --kills"]
async fn twenty_kills_during_twenty_thousand_registrations_lose_nothing() {
    rounds(20, 10_000).await;
    rounds(20, 10_000).await;
}
