//! Many who die at once.

#![expect(clippy::unwrap_used, reason = "what helps a test fails as a test does")]

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use mainstay_contracts::registry::{Presence, Release};
use mainstay_registry::testing::{Acknowledged, Expiry, Fold, Terms};
use parking_lot::Mutex;
use tokio::time::Instant;

use crate::client::registration;
use crate::follower::Follower;
use crate::process::Process;

const MANY: u16 = 1_000;
const AT_ONCE: usize = 32;

/// A thousand who were registered, and one who watches them.
struct World {
    process: Process,
    watcher: Follower,
    expiry: Arc<Mutex<Expiry>>,
    acknowledged: Acknowledged,
}

impl World {
    /// Registered within less than it takes from silent to gone: so they all stop at once, as the guard sees it.
    async fn new(args: &[&str], fold: Fold) -> Self {
        let process = Process::start(&[&["--silent-after", "2s", "--gone-after", "4s"], args].concat()).await;
        let terms = Terms {
            silent_after: Duration::from_secs(2),
            gone_after: Duration::from_secs(4),
            grace: Duration::from_secs(15),
            late: Duration::from_secs(4),
        };
        let expiry = Arc::new(Mutex::new(Expiry::new(terms)));
        let mut watcher = Follower::start(process.client(), fold, Some(&expiry));
        let (acknowledged, begun) = (Mutex::new(Acknowledged::default()), Instant::now());
        // Side by side: one after the other they would take longer than they have.
        let register = |first: u16| {
            let (mut client, acknowledged, expiry) = (process.client(), &acknowledged, &expiry);
            async move {
                for number in (first..=MANY).step_by(AT_ONCE) {
                    let (call, sent) = (registration(&format!("r{number}"), number, None), Instant::now());
                    let answer = client.register(&call).await.unwrap();
                    expiry.lock().beaten(&call.id, sent, Instant::now());
                    acknowledged.lock().registered(&call, &answer);
                }
            }
        };
        join_all((1..=AT_ONCE as u16).map(register)).await;
        let acknowledged = acknowledged.into_inner();
        assert!(begun.elapsed() < Duration::from_secs(4), "too slow for a loss at once: {:?}", begun.elapsed());
        assert_eq!(acknowledged.len(), usize::from(MANY));
        watcher.until("all seen", |fold| fold.revision() >= acknowledged.revision()).await;
        watcher.look(|fold| assert_eq!((fold.instances.len() + fold.gone, fold.gone), (usize::from(MANY), 0)));
        Self { process, watcher, expiry, acknowledged }
    }

    /// Lets time pass until all are told to be gone or suspect, which is not early, and not late.
    async fn until_all_have_lapsed(&mut self) {
        let (expiry, many) = (Arc::clone(&self.expiry), usize::from(MANY));
        let on_time = || {
            let expiry = expiry.lock();
            expiry.nobody_is_late(Instant::now());
            expiry.lapsed() == many
        };
        self.watcher.until("all have lapsed", |_| on_time()).await;
    }
}

#[tokio::test]
async fn with_the_guard_none_of_a_thousand_is_removed_until_somebody_says_so() {
    let mut world = World::new(&[], Fold::default()).await;
    world.until_all_have_lapsed().await;
    world.watcher.look(|fold| {
        assert_eq!((fold.instances.len(), fold.gone, fold.doubtful), (usize::from(MANY), 0, usize::from(MANY)));
        assert!(fold.instances.values().all(|listed| listed.presence == Presence::Suspect));
    });
    world.acknowledged.is_in(&world.process.client().list("ratings").await);

    let released = world.process.client().ask(&Release { service: "ratings".to_owned() }).await.unwrap().unwrap();
    assert_eq!(released.instances, usize::from(MANY));
    world.watcher.until("all are gone", |fold| fold.gone == usize::from(MANY)).await;
    assert_eq!(world.process.client().list("ratings").await.instances, []);
}

#[tokio::test]
async fn without_the_guard_all_of_a_thousand_are_removed() {
    let mut world = World::new(&["--guard", "off"], Fold::unguarded()).await;
    world.until_all_have_lapsed().await;
    world.watcher.look(|fold| assert_eq!((fold.instances.len(), fold.gone), (0, usize::from(MANY))));
    assert_eq!(world.process.client().list("ratings").await.instances, []);
}
