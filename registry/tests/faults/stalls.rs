//! A registry that is itself stopped: nobody is the worse for it.

#![expect(clippy::unwrap_used, reason = "what helps a test fails as a test does")]

use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use mainstay_contracts::registry::LeaseId;
use mainstay_registry::testing::{Expiry, Fold, Terms};
use parking_lot::Mutex;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};

use crate::client::{Client, registration};
use crate::follower::Follower;
use crate::process::Process;

const MANY: u16 = 50;
const LEASE: Duration = Duration::from_secs(2);

/// Holds a lease with one instance, beats, and comes back when its connection breaks: as the SDK does.
async fn live(address: impl Fn() -> Client, number: u16, expiry: Arc<Mutex<Expiry>>) {
    let lease: LeaseId = format!("process-{number}").parse().unwrap();
    let call = registration(&format!("r{number}"), number, Some(&lease));
    loop {
        let (mut holder, mut client) = (address(), address());
        let held = holder.hold(&lease).await;
        let sent = Instant::now();
        if client.register(&call).await.is_some() {
            expiry.lock().beaten(&call.id, sent, Instant::now());
        }
        let beats = async {
            loop {
                let sent = Instant::now();
                // It gives up on a registry that is silent for a second, and closes its connection.
                let Ok(Some(StatusCode::OK)) = timeout(Duration::from_secs(1), client.beat(&lease)).await else {
                    break;
                };
                expiry.lock().beaten(&call.id, sent, Instant::now());
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
    let terms = Terms { silent_after: LEASE / 2, gone_after: LEASE / 2, grace: Duration::ZERO, late: 2 * LEASE };
    let expiry = Arc::new(Mutex::new(Expiry::new(terms)));
    let mut watcher = Follower::start(process.client(), Fold::default(), Some(&expiry));
    let (address, mut living) = (process.client().address, JoinSet::new());
    for number in 1..=MANY {
        living.spawn(live(move || Client::new(address), number, Arc::clone(&expiry)));
    }
    watcher.until("all are there", |fold| fold.instances.len() == usize::from(MANY)).await;
    watcher.until("verified", |fold| fold.verified >= 1).await;
    // One who never beats shows that time passes for others: but not while the registry stands still.
    let (mute, sent) = (registration("mute", MANY + 1, None), Instant::now());
    process.client().register(&mute).await.unwrap();
    expiry.lock().beaten(&mute.id, sent, Instant::now());
    let begun = Instant::now();
    process.pause();
    sleep(2 * LEASE).await;
    process.resume();
    expiry.lock().stood_still(begun, Instant::now());
    // Two bookmarks, five seconds each, cover what follows it.
    let verified = watcher.look(|fold| fold.verified);
    watcher.until("verified again", |fold| fold.verified >= verified + 2).await;
    watcher.look(|fold| {
        assert_eq!((fold.gone, fold.instances.len()), (1, usize::from(MANY)), "nobody else was told to be gone");
        assert!(!fold.instances.contains_key(&mute.id));
    });
    let expiry = expiry.lock();
    expiry.nobody_is_late(Instant::now());
    assert_eq!(expiry.lapsed(), 1);
}
