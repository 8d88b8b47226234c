//! `kill -9` while registrations come in: what was acknowledged is there, and nobody's cursor is lost.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "what helps a test fails as a test does, and says its numbers"
)]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use mainstay_contracts::registry::{Deregister, Deregistered, Registered};
use mainstay_registry::testing::{Acknowledged, Expiry, Fold, Terms};
use parking_lot::Mutex;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};

use crate::client::{Client, registration};
use crate::follower::Follower;
use crate::process::{Process, SOON};

const WRITERS: u64 = 64;
const WATCHERS: usize = 4;
/// One of so many leaves again.
const LEAVES: u64 = 8;

/// What writers share.
struct Load {
    most: u64,
    next: AtomicU64,
    acknowledged: Mutex<Acknowledged>,
    /// How many were acknowledged, with those who have left.
    registered: AtomicU64,
    /// How many calls were not answered, as there was no registry any more.
    unanswered: AtomicU64,
    expiry: Arc<Mutex<Expiry>>,
    stop: AtomicBool,
}

impl Load {
    fn goes_on(&self) -> bool {
        !self.stop.load(Ordering::Relaxed)
    }

    /// Registers one instance after the other, each under a name of its own, and each again until that is acknowledged.
    async fn write(&self, mut client: Client) {
        while self.goes_on() {
            let number = self.next.fetch_add(1, Ordering::Relaxed);
            if number >= self.most {
                return;
            }
            let call = registration(&format!("r{number}"), u16::try_from(number % 65_000 + 1).unwrap(), None);
            let registered = loop {
                let sent = Instant::now();
                if let Some(answer) = client.register(&call).await {
                    self.expiry.lock().beaten(&call.id, sent, Instant::now());
                    self.acknowledged.lock().registered(&call, &answer);
                    self.registered.fetch_add(1, Ordering::Relaxed);
                    break answer;
                }
                if !self.missed().await {
                    return;
                }
            };
            if number.is_multiple_of(LEAVES) {
                let call = Deregister { service: call.service, id: call.id, incarnation: Some(1) };
                self.leave(&mut client, call, registered).await;
            }
        }
    }

    async fn leave(&self, client: &mut Client, call: Deregister, registered: Registered) {
        // From here on it may be gone at any time, and may not be missed.
        self.acknowledged.lock().is_leaving(&call.id);
        loop {
            if let Some(answer) = client.deregister(&call).await {
                let answer = answer.unwrap_or(Deregistered { revision: registered.revision });
                return self.acknowledged.lock().deregistered(&call, &answer);
            }
            if !self.missed().await {
                return;
            }
        }
    }

    /// A call was not answered. Is there a reason to go on?
    async fn missed(&self) -> bool {
        self.unanswered.fetch_add(1, Ordering::Relaxed);
        sleep(Duration::from_millis(2)).await;
        self.goes_on()
    }
}

async fn rounds(rounds: u32, most: u64) {
    let terms = Terms {
        silent_after: Duration::from_secs(15),
        gone_after: Duration::from_secs(90),
        grace: Duration::from_secs(15),
        late: Duration::from_secs(5),
    };
    let expiry = Arc::new(Mutex::new(Expiry::new(terms)));
    let mut process = Process::start(&[]).await;
    let load = Arc::new(Load {
        most,
        next: AtomicU64::new(0),
        acknowledged: Mutex::default(),
        registered: AtomicU64::new(0),
        unanswered: AtomicU64::new(0),
        expiry: Arc::clone(&expiry),
        stop: AtomicBool::new(false),
    });
    let watcher = |number| Follower::start(process.client(), Fold::default(), (number == 0).then_some(&expiry));
    let mut watchers: Vec<_> = (0..WATCHERS).map(watcher).collect();
    let mut writers = JoinSet::new();
    for _ in 0..WRITERS {
        let (load, client) = (Arc::clone(&load), process.client());
        writers.spawn(async move { load.write(client).await });
    }
    let mut slowest = Duration::ZERO;
    for round in 1..=rounds {
        let due = most * u64::from(round) / u64::from(rounds + 1);
        let reached = async {
            while load.registered.load(Ordering::Relaxed) < due {
                sleep(Duration::from_millis(1)).await;
            }
        };
        timeout(SOON, reached).await.expect("registrations go on");
        let (begun, unanswered) = (load.registered.load(Ordering::Relaxed), load.unanswered.load(Ordering::Relaxed));
        assert!((due..most).contains(&begun), "killed in the middle: {begun} of {most}");
        let killed = Instant::now();
        slowest = slowest.max(process.kill_and_start().await);
        expiry.lock().restarted(killed, Instant::now());
        assert!(load.unanswered.load(Ordering::Relaxed) > unanswered, "somebody was registering");
        // In this order: what is acknowledged meanwhile need not be on the list.
        let acknowledged = load.acknowledged.lock().clone();
        acknowledged.is_in(&process.client().list("ratings").await);
        for watcher in &mut watchers {
            watcher.until("resumed", |fold| fold.resumed >= round as usize).await;
        }
    }
    timeout(SOON * 4, async { while writers.join_next().await.is_some_and(|written| written.is_ok()) {} })
        .await
        .expect("they end");
    let (acknowledged, left) = (load.acknowledged.lock().clone(), most.div_ceil(LEAVES) as usize);
    assert_eq!((load.registered.load(Ordering::Relaxed), acknowledged.len()), (most, most as usize - left));
    let listing = process.client().list("ratings").await;
    acknowledged.is_in(&listing);
    assert_eq!(listing.instances.len(), acknowledged.len(), "and nobody else");
    for mut watcher in watchers {
        watcher.until("up to date", |fold| fold.revision() >= listing.revision).await;
        watcher.look(|fold| {
            fold.agrees_with(&listing);
            // Who came and left between two looks was not told of.
            assert!(fold.gone <= left && fold.doubtful == 0, "{} gone, {} in doubt", fold.gone, fold.doubtful);
            assert_eq!((fold.snapshots, fold.resumed), (1, rounds as usize), "a cursor goes on");
        });
    }
    expiry.lock().nobody_is_late(Instant::now());
    println!(
        "registry                                 {most} acknowledged, 0 lost, 0 revisions back; {} calls cut off; \
         {WATCHERS} watchers resumed {rounds} times by delta, 0 snapshots; answering again in {slowest:?} at most",
        load.unanswered.load(Ordering::Relaxed)
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
