//! What a registry promises, held against every engine by the same tests: one process over a directory, and replicas over
//! etcd, of which one is asked that writes and one that does not.

#![expect(clippy::unwrap_used, reason = "what helps a test fails as a test does")]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use http::StatusCode;
use mainstay_contracts::registry::{BeatLease, Deregister, Drain, LeaseId, Presence, Release, WatchFrame};
use mainstay_registry::testing::{Acknowledged, Expiry, Fold, Terms};
use parking_lot::Mutex;
use serde_json::Value;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};

use crate::client::{Client, registration};
use crate::engines::World;
use crate::follower::Follower;
use crate::process::SOON;

/// Makes of each promise a test for each engine.
macro_rules! promises {
    ($($(#[$meta:meta])* $name:ident($($arg:literal),*);)*) => {
        mod on_disk {
            $(
                $(#[$meta])*
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $name() {
                    super::$name(super::World::disk(&[$($arg),*]).await).await;
                }
            )*
        }

        #[cfg(feature = "etcd")]
        mod over_etcd {
            $(
                $(#[$meta])*
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $name() {
                    if let Some(world) = super::World::etcd(&[$($arg),*]).await {
                        super::$name(world).await;
                    }
                }
            )*
        }
    };
}

promises! {
    what_is_acknowledged_survives_whoever_did_it();
    a_cursor_goes_on_wherever_it_is_shown();
    a_later_start_fences_an_earlier_one();
    a_lease_ends_with_its_process_and_not_with_the_registry();
    beats_count_whoever_hears_them("--silent-after", "3s", "--gone-after", "3s", "--grace", "8s");
    too_many_at_once_are_suspect_until_somebody_says_so("--silent-after", "1s", "--gone-after", "1s");
    a_drain_waits_for_all_who_watch();
    a_lock_has_one_holder();
    a_process_with_many_instances_ends_as_one();
    what_is_put_is_read_however_long_it_is();
}

async fn what_is_acknowledged_survives_whoever_did_it(mut world: World) {
    const WRITERS: u64 = 8;
    const EACH: u64 = 60;
    let acknowledged = Arc::new(Mutex::new(Acknowledged::default()));
    let count = Arc::new(AtomicU64::new(0));
    let mut watcher = Follower::start(world.other().await, Fold::default(), None);
    let mut writers = JoinSet::new();
    for writer in 0..WRITERS {
        let mut client = if writer % 2 == 0 { world.client().await } else { world.other().await };
        let (acknowledged, count) = (Arc::clone(&acknowledged), Arc::clone(&count));
        writers.spawn(async move {
            for number in 0..EACH {
                let number = u16::try_from(writer * EACH + number + 1).unwrap();
                let call = registration(&format!("r{number}"), number, None);
                let answer = client.insist(&call).await.unwrap();
                acknowledged.lock().registered(&call, &answer);
                count.fetch_add(1, Ordering::Relaxed);
                sleep(Duration::from_millis(2)).await;
            }
        });
    }
    let reached = async |least: u64| {
        while count.load(Ordering::Relaxed) < least {
            sleep(Duration::from_millis(1)).await;
        }
    };
    timeout(SOON, reached(WRITERS * EACH / 3)).await.expect("they register");
    world.kill().await;
    while let Some(written) = writers.join_next().await {
        written.unwrap();
    }
    let acknowledged = acknowledged.lock().clone();
    assert_eq!(acknowledged.len() as u64, WRITERS * EACH);
    watcher.until("all seen", |fold| fold.revision() >= acknowledged.revision()).await;
    let listing = world.client().await.list("ratings").await;
    acknowledged.is_in(&listing);
    watcher.look(|fold| {
        fold.agrees_with(&listing);
        assert_eq!((fold.snapshots, fold.gone), (1, 0), "it goes on where it was");
    });
}

async fn a_cursor_goes_on_wherever_it_is_shown(mut world: World) {
    let mut client = world.client().await;
    let mut fold = Fold::default();
    for number in 1..=3 {
        client.insist(&registration(&format!("r{number}"), number, None)).await.unwrap();
    }
    let mut frames = client.watch(None).await.unwrap();
    fold.begin();
    fold.take(frames.change().await.unwrap());
    for number in 4..=6 {
        let call = registration(&format!("r{number}"), number, None);
        world.other().await.insist(&call).await.unwrap();
    }
    let leaves = Deregister { service: "ratings".to_owned(), id: "r1".parse().unwrap(), incarnation: Some(1) };
    let left = world.other().await.insist(&leaves).await.unwrap();
    world.kill().await;
    // Who was killed is back, and so is its client; elsewhere the same is known.
    for mut client in [world.other().await, world.client().await] {
        let mut frames = watch(&mut client, fold.seen()).await;
        fold.begin();
        while fold.revision() < left.revision {
            fold.take(timeout(SOON, frames.change()).await.unwrap().unwrap());
        }
    }
    assert_eq!(fold.snapshots, 1, "the others have been resumed");
    fold.agrees_with(&world.client().await.list("ratings").await);
    assert_eq!(fold.instances.len(), 5);
}

async fn a_later_start_fences_an_earlier_one(mut world: World) {
    let early = registration("r1", 1, None);
    let mut late = early.clone();
    late.incarnation = Some(7);
    world.client().await.insist(&late).await.unwrap();
    let leaves = |incarnation| Deregister { service: "ratings".to_owned(), id: early.id.clone(), incarnation };
    for _ in 0..2 {
        for mut client in [world.client().await, world.other().await] {
            assert_eq!(client.insist(&early).await.unwrap_err(), StatusCode::CONFLICT);
            assert_eq!(client.insist(&leaves(Some(1))).await.unwrap_err(), StatusCode::CONFLICT);
        }
        world.kill().await;
    }
    world.other().await.insist(&leaves(Some(7))).await.unwrap();
    assert_eq!(world.client().await.list("ratings").await.instances, []);
}

async fn a_lease_ends_with_its_process_and_not_with_the_registry(mut world: World) {
    let lease: LeaseId = "process-1".parse().unwrap();
    let mut watcher = Follower::start(world.client().await, Fold::default(), None);
    let hold = async |mut client: Client| loop {
        if let Some(frames) = client.hold(&lease).await {
            return frames;
        }
        sleep(Duration::from_millis(20)).await;
    };
    let held = hold(world.other().await).await;
    world.other().await.insist(&registration("r1", 1, Some(&lease))).await.unwrap();
    watcher.until("it is there", |fold| fold.instances.len() == 1).await;
    world.kill().await;
    drop(held);
    // It comes back, as a process does whose registry went away.
    let held = hold(world.other().await).await;
    watcher.until("resumed", |fold| fold.resumed >= 1).await;
    watcher.look(|fold| assert_eq!((fold.instances.len(), fold.gone), (1, 0), "its process has not gone"));
    drop(held);
    watcher.until("gone with its process", |fold| fold.gone == 1).await;
    let mut frames = watch(&mut world.client().await, None).await;
    assert!(matches!(frames.change().await, Some(WatchFrame::Snapshot(listing)) if listing.instances.is_empty()));
}

async fn beats_count_whoever_hears_them(mut world: World) {
    let terms = Terms {
        silent_after: Duration::from_secs(3),
        gone_after: Duration::from_secs(3),
        grace: Duration::from_secs(8),
        late: Duration::from_secs(4),
    };
    let expiry = Arc::new(Mutex::new(Expiry::new(terms)));
    let mut watcher = Follower::start(world.client().await, Fold::default(), Some(&expiry));
    let (lease, mut client): (LeaseId, _) = ("process-1".parse().unwrap(), world.other().await);
    let call = registration("r1", 1, Some(&lease));
    let stop = Arc::new(AtomicU64::new(0));
    let beating = tokio::spawn({
        let (expiry, stop, call, lease) = (Arc::clone(&expiry), Arc::clone(&stop), call.clone(), lease.clone());
        // Held by nothing but beats, from the moment it is known.
        let held = loop {
            if let Some(held) = client.hold(&lease).await {
                break held;
            }
        };
        client.insist(&call).await.unwrap();
        let sent = Instant::now();
        expiry.lock().beaten(&call.id, sent, Instant::now());
        async move {
            let _held = held;
            let mut beats = 0;
            while stop.load(Ordering::Relaxed) == 0 {
                let sent = Instant::now();
                if let Some(Ok(_)) = client.ask(&BeatLease { lease: lease.clone() }).await {
                    expiry.lock().beaten(&call.id, sent, Instant::now());
                    beats += 1;
                }
                sleep(Duration::from_millis(200)).await;
            }
            beats
        }
    });
    watcher.until("it is there", |fold| fold.instances.len() == 1).await;
    let killed = Instant::now();
    world.kill().await;
    drop(world.client().await);
    expiry.lock().restarted(killed, Instant::now());
    // Longer than it takes from the last beat to the end, with the grace.
    sleep(Duration::from_secs(15)).await;
    watcher.look(|fold| assert_eq!((fold.instances.len(), fold.gone, fold.doubtful), (1, 0, 0)));
    stop.store(1, Ordering::Relaxed);
    assert!(beating.await.unwrap() > 20);
}

async fn too_many_at_once_are_suspect_until_somebody_says_so(world: World) {
    const MANY: u16 = 20;
    let mut watcher = Follower::start(world.other().await, Fold::default(), None);
    let mut client = world.client().await;
    for number in 1..=MANY {
        client.insist(&registration(&format!("r{number}"), number, None)).await.unwrap();
    }
    watcher
        .until("all are suspect", |fold| {
            fold.instances.len() == usize::from(MANY)
                && fold.instances.values().all(|listed| listed.presence == Presence::Suspect)
        })
        .await;
    watcher.look(|fold| assert_eq!(fold.gone, 0));
    let released = world.other().await.insist(&Release { service: "ratings".to_owned() }).await.unwrap();
    assert_eq!(released.instances, usize::from(MANY));
    watcher.until("all are gone", |fold| fold.gone == usize::from(MANY)).await;
}

async fn a_drain_waits_for_all_who_watch(world: World) {
    world.client().await.insist(&registration("r1", 1, None)).await.unwrap();
    let mut watchers = Vec::new();
    for client in [world.client().await, world.other().await] {
        let mut watcher = Follower::start(client, Fold::default(), None);
        watcher.until("it watches", |fold| fold.instances.len() == 1).await;
        watchers.push(watcher);
    }
    let drain =
        Drain { service: "ratings".to_owned(), id: "r1".parse().unwrap(), incarnation: None, deadline_ms: 20_000 };
    let drained = world.other().await.insist(&drain).await.unwrap();
    assert_eq!((drained.told, drained.untold), (2, 0));
    for mut watcher in watchers {
        // It has been told: what is left is to read it.
        watcher
            .until("it drains", |fold| fold.instances.values().all(|listed| listed.presence == Presence::Draining))
            .await;
    }
}

async fn a_lock_has_one_holder(mut world: World) {
    let put = async |mut client: Client, target: String| put(&mut client, &target, "{}").await;
    let id = |text: String| serde_json::from_str::<Value>(&text).unwrap()["ID"].as_str().unwrap().to_owned();
    let first = id(put(world.client().await, "/v1/session/create".to_owned()).await);
    let second = id(put(world.other().await, "/v1/session/create".to_owned()).await);
    let take = |session: &str| format!("/v1/kv/leader?acquire={session}");
    assert_eq!(put(world.other().await, take(&first)).await, "true");
    assert_eq!(put(world.client().await, take(&second)).await, "false");
    world.kill().await;
    assert_eq!(put(world.client().await, take(&second)).await, "false", "the first one has it still");
    assert_eq!(put(world.other().await, take(&first)).await, "true");
    assert_eq!(put(world.other().await, format!("/v1/kv/leader?release={first}")).await, "true");
    assert_eq!(put(world.client().await, take(&second)).await, "true");
    let read = world.other().await.text("/v1/kv/leader").await.unwrap();
    let read: Value = serde_json::from_str(&read).unwrap();
    assert_eq!((read[0]["Session"].as_str(), read[0]["LockIndex"].as_u64()), (Some(&*second), Some(2)));
}

async fn a_process_with_many_instances_ends_as_one(mut world: World) {
    // More than etcd changes in one transaction.
    const MANY: u16 = 300;
    let lease: LeaseId = "process-1".parse().unwrap();
    let mut watcher = Follower::start(world.other().await, Fold::default(), None);
    let mut client = world.client().await;
    let held = world.other().await.hold(&lease).await.unwrap();
    for number in 1..=MANY {
        client.insist(&registration(&format!("r{number}"), number, Some(&lease))).await.unwrap();
    }
    let stays = client.insist(&registration("stays", 999, None)).await.unwrap();
    watcher.until("all are there", |fold| fold.revision() >= stays.revision).await;
    drop(held);
    watcher.until("all but one are gone", |fold| fold.gone == usize::from(MANY)).await;
    // In the place of those who are gone, and of the registry that has seen them.
    for number in 1..=MANY / 2 {
        client.insist(&registration(&format!("r{number}"), number, None)).await.unwrap();
    }
    world.kill().await;
    let last = world.other().await.insist(&registration("last", 1_000, None)).await.unwrap();
    watcher.until("all seen", |fold| fold.revision() >= last.revision).await;
    for mut client in [world.client().await, world.other().await] {
        let listing = client.list("ratings").await;
        assert_eq!(listing.instances.len(), usize::from(MANY / 2) + 2);
        watcher.look(|fold| fold.agrees_with(&listing));
    }
}

async fn what_is_put_is_read_however_long_it_is(mut world: World) {
    // The longest that there may be, and more of them than etcd takes at once.
    let value = "0123456789abcdef".repeat(4096);
    for number in 0..24 {
        assert_eq!(put(&mut world.other().await, &format!("/v1/kv/long/{number}"), &value).await, "true");
    }
    world.kill().await;
    for mut client in [world.client().await, world.other().await] {
        for number in 0..24 {
            assert_eq!(client.text(&format!("/v1/kv/long/{number}?raw")).await.as_ref(), Some(&value));
        }
    }
    let deleted = world.other().await.delete("/v1/kv/long/?recurse").await;
    assert_eq!(deleted.as_deref(), Some("true"));
    assert_eq!(world.client().await.text("/v1/kv/long/?keys").await.as_deref(), Some(""));
}

/// Puts a value; what is refused for want of a writer is put again.
async fn put(client: &mut Client, target: &str, value: &str) -> String {
    let answered = async {
        loop {
            if let Some(text) = client.put(target, value).await {
                return text;
            }
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(SOON, answered).await.expect("it is put")
}

async fn watch(client: &mut Client, seen: Option<(u64, u64)>) -> crate::client::Frames {
    let watched = async {
        loop {
            if let Some(frames) = client.watch(seen).await {
                return frames;
            }
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(SOON, watched).await.expect("it can be watched")
}
