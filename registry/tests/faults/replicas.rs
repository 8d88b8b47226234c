//! What replicas promise beyond what one registry does: etcd may be killed, and each of them.

use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use mainstay_contracts::registry::{Deregister, LeaseId, Look};
use mainstay_registry::testing::{Acknowledged, Expiry, Fold, Terms};
use parking_lot::Mutex;
use tokio::time::{Instant, sleep, timeout};

use crate::client::{Client, registration};
use crate::engines::Replicated;
use crate::follower::Follower;
use crate::process::SOON;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn etcd_may_be_killed() {
    let Some(mut world) = Replicated::start(&["--silent-after", "3s", "--gone-after", "3s"]).await else { return };
    let terms = Terms {
        silent_after: Duration::from_secs(3),
        gone_after: Duration::from_secs(3),
        grace: Duration::from_secs(15),
        late: Duration::from_secs(6),
    };
    let expiry = Arc::new(Mutex::new(Expiry::new(terms)));
    let (writer, mut acknowledged) = (world.writer().await, Acknowledged::default());
    let mut watchers: Vec<_> = (0..world.len())
        .map(|at| Follower::start(world.client(at), Fold::default(), (at == 0).then_some(&expiry)))
        .collect();
    let mut register = async |world: &Replicated, at: usize, number: u16| {
        let call = registration(&format!("r{number}"), number, None);
        let (sent, answer) = (Instant::now(), world.client(at).insist(&call).await.unwrap());
        expiry.lock().beaten(&call.id, sent, Instant::now());
        acknowledged.registered(&call, &answer);
    };
    for number in 1..=20 {
        register(&world, usize::from(number) % world.len(), number).await;
    }
    let killed = Instant::now();
    world.etcd[0].kill().await;
    // For longer than any of them may write by its own word.
    for at in 0..world.len() {
        let refused = timeout(SOON, world.client(at).ask(&registration("late", 99, None))).await.unwrap();
        assert!(matches!(refused, Some(Err(StatusCode::SERVICE_UNAVAILABLE))), "{refused:?}");
        assert_eq!(world.client(at).list("ratings").await.instances.len(), 20, "who is there is still told");
    }
    sleep(Duration::from_secs(6).saturating_sub(killed.elapsed())).await;
    for at in 0..world.len() {
        let overview = world.client(at).ask(&Look {}).await.unwrap().unwrap();
        assert!(overview.trouble.unwrap().starts_with("no replica writes at present") && overview.writer.is_none());
        let page = world.client(at).text("/").await.unwrap();
        assert!(
            page.contains("Nothing can be changed") && page.contains("r20"),
            "whoever looks is not sent away: {page}"
        );
    }
    world.etcd[0].start_again().await;
    world.writer().await;
    expiry.lock().restarted(killed, Instant::now());
    for number in 21..=40 {
        register(&world, usize::from(number) % world.len(), number).await;
    }
    for watcher in &mut watchers {
        watcher.until("all seen", |fold| fold.revision() >= acknowledged.revision()).await;
        watcher.look(|fold| assert_eq!((fold.snapshots, fold.gone), (1, 0)));
    }
    acknowledged.is_in(&world.client(writer).list("ratings").await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replica_that_is_killed_takes_nobody_with_it() {
    let Some(mut world) = Replicated::start(&[]).await else { return };
    let (lease, writer): (LeaseId, _) = ("process-1".parse().unwrap(), world.writer().await);
    let (between, other) = ((writer + 1) % world.len(), (writer + 2) % world.len());
    let held = world.client(between).hold(&lease).await.unwrap();
    world.client(between).insist(&registration("r1", 1, Some(&lease))).await.unwrap();
    let mut watcher = Follower::start(world.client(other), Fold::default(), None);
    watcher.until("it is there", |fold| fold.instances.len() == 1).await;

    world.kill(between).await;
    let mut held_again = world.client(other).hold(&lease).await.unwrap();
    // Whatever the writer made of the connection that broke, it has made of it before it answers this.
    world.client(writer).insist(&registration("r2", 2, None)).await.unwrap();
    watcher.until("the second one", |fold| fold.instances.len() == 2).await;
    watcher.look(|fold| assert_eq!(fold.gone, 0, "its process has not gone"));
    drop(held);
    assert!(timeout(Duration::from_millis(200), held_again.next::<serde_json::Value>()).await.is_err(), "it stands");

    drop(held_again);
    watcher.until("gone with its process", |fold| fold.gone == 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_writer_that_was_stopped_writes_nothing_any_more() {
    let Some(world) = Replicated::start(&[]).await else { return };
    let (writer, lease): (_, LeaseId) = (world.writer().await, "process-1".parse().unwrap());
    let others = [(writer + 1) % world.len(), (writer + 2) % world.len()];
    let held = world.client(writer).hold(&lease).await.unwrap();
    let early = registration("r1", 1, Some(&lease));
    world.client(writer).insist(&early).await.unwrap();
    let mut watcher = Follower::start(world.client(others[0]), Fold::default(), None);
    watcher.until("it is there", |fold| fold.instances.len() == 1).await;

    world.pause(writer).await;
    // What waits in its sockets when it goes on: what it knows would change nothing, and so keep nothing.
    let mut client = world.client(writer);
    let same = tokio::spawn(async move { client.ask(&early).await });
    let second = world.writer_among(&others).await;
    let leaves = Deregister { service: "ratings".to_owned(), id: "r1".parse().unwrap(), incarnation: Some(1) };
    let left = world.client(second).insist(&leaves).await.unwrap();
    world.resume(writer);

    let same = timeout(SOON, same).await.unwrap().unwrap();
    let is_back = matches!(&same, Some(Ok(registered)) if registered.revision > left.revision);
    assert!(is_back || !matches!(same, Some(Ok(_))), "{same:?} after {left:?}");
    drop(held);
    let last = world.client(writer).insist(&registration("r2", 2, None)).await.unwrap();
    watcher.until("all seen", |fold| fold.revision() >= last.revision).await;
    let listing = world.client(world.writer().await).list("ratings").await;
    watcher.look(|fold| fold.agrees_with(&listing));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_one_writes_when_the_writer_is_killed() {
    let Some(mut world) = Replicated::start(&[]).await else { return };
    let mut acknowledged = Acknowledged::default();
    for number in 1..=3 {
        let writer = world.writer().await;
        world.kill(writer).await;
        // Its lease has to end, or it has to come back: both take seconds at most.
        let call = registration(&format!("r{number}"), number, None);
        let answer = world.client((writer + 1) % world.len()).insist(&call).await.unwrap();
        acknowledged.registered(&call, &answer);
        assert_ne!(world.writer().await, writer);
        world.start_again(writer).await;
    }
    for at in 0..world.len() {
        let up_to_date = async {
            while world.client(at).list("ratings").await.revision < acknowledged.revision() {
                sleep(Duration::from_millis(20)).await;
            }
        };
        timeout(SOON, up_to_date).await.unwrap();
        acknowledged.is_in(&world.client(at).list("ratings").await);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_of_three_members_may_be_killed_and_who_has_no_certificate_is_not_heard() {
    let Some(mut world) = Replicated::with_papers().await else { return };
    let (writer, mut acknowledged) = (world.writer().await, Acknowledged::default());
    let (between, other) = ((writer + 1) % world.len(), (writer + 2) % world.len());
    let mut watcher = Follower::start(world.client(other), Fold::default(), None);
    let mut register = async |world: &Replicated, at: usize, number: u16| {
        let call = registration(&format!("r{number}"), number, None);
        acknowledged.registered(&call, &world.client(at).insist(&call).await.unwrap());
    };
    let lease: LeaseId = "process-1".parse().unwrap();
    let held = world.client(between).hold(&lease).await.unwrap();
    register(&world, between, 1).await;
    world.client(between).insist(&registration("held", 99, Some(&lease))).await.unwrap();
    watcher.until("both", |fold| fold.instances.len() == 2).await;
    drop(held);
    watcher.until("gone with its process", |fold| fold.gone == 1).await;
    let without_tls = Client::new(world.client(between).address);
    for mut stranger in [without_tls, world.stranger(between)] {
        assert!(
            timeout(SOON, stranger.text("/health")).await.unwrap().is_none(),
            "who has no certificate is not heard"
        );
    }

    for member in 0..world.etcd.len() {
        world.etcd[member].kill().await;
        register(&world, between, 2 + member as u16).await;
        world.etcd[member].start_again().await;
    }
    watcher.until("all of them", |fold| fold.instances.len() == 4).await;

    world.etcd[0].kill().await;
    world.etcd[1].kill().await;
    let refused = timeout(SOON, world.client(between).ask(&registration("late", 98, None))).await.unwrap();
    assert!(matches!(refused, Some(Err(StatusCode::SERVICE_UNAVAILABLE))), "{refused:?}");
    assert_eq!(world.client(between).list("ratings").await.instances.len(), 4, "who is there is still told");
    world.etcd[0].start_again().await;
    register(&world, between, 9).await;
    watcher.until("one more", |fold| fold.instances.contains_key(&"r9".parse().unwrap())).await;
    watcher.look(|fold| assert_eq!((fold.snapshots, fold.gone), (1, 1)));
    acknowledged.is_in(&world.client(other).list("ratings").await);
}
