//! Many who die at once.

#![expect(clippy::unwrap_used, reason = "what helps a test fails as a test does")]

use std::time::Duration;

use mainstay_contracts::registry::{Presence, Release};
use tokio::time::{sleep, timeout};

use crate::process::{Process, SOON};

const MANY: u16 = 1_000;

/// Registered within less than it takes from silent to gone: so they all stop at once, as the guard sees it.
async fn with_many(args: &[&str]) -> Process {
    let process = Process::start(&[&["--silent-after", "2s", "--gone-after", "4s"], args].concat()).await;
    let mut client = process.client();
    for number in 1..=MANY {
        client.register(&format!("r{number}"), number, None).await.unwrap();
    }
    process
}

/// Waits until so many are listed, all of one presence.
async fn until(process: &Process, count: usize, presence: Presence) {
    let mut client = process.client();
    let reached = async {
        loop {
            let listing = client.list("ratings").await;
            if listing.instances.len() == count && listing.instances.iter().all(|row| row.presence == presence) {
                return;
            }
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(SOON, reached).await.unwrap_or_else(|_| panic!("not {count} {presence:?}"));
}

#[tokio::test]
async fn with_the_guard_none_of_a_thousand_is_removed_until_somebody_says_so() {
    let process = with_many(&[]).await;
    until(&process, usize::from(MANY), Presence::Suspect).await;
    let released = process.client().ask(&Release { service: "ratings".to_owned() }).await.unwrap().unwrap();
    assert_eq!(released.instances, usize::from(MANY));
    until(&process, 0, Presence::Gone).await;
}

#[tokio::test]
async fn without_the_guard_all_of_a_thousand_are_removed() {
    until(&with_many(&["--guard", "off"]).await, 0, Presence::Gone).await;
}
