//! Replicas that are cut off from etcd and from one another, but not from their clients: in network namespaces of their
//! own, which need no rights where users may have namespaces.

#![expect(clippy::unwrap_used, reason = "what helps a test fails as a test does")]

mod net;

use std::time::Duration;

use http::StatusCode;
use mainstay_contracts::registry::{BeatLease, LeaseId, WatchFrame};
use mainstay_registry::testing::{Acknowledged, Fold};
use serde_json::Value;
use tokio::process::Command;
use tokio::time::{sleep, timeout};

use self::net::Net;
use crate::client::{Client, Frames, registration};
use crate::follower::Follower;
use crate::process::SOON;

/// Says to the test below that it is in namespaces of its own.
const INSIDE: &str = "MAINSTAY_TEST_NAMESPACES";

#[tokio::test]
async fn who_is_cut_off_writes_nothing_and_tells_nothing_stale() {
    let spaces = ["--user", "--map-root-user", "--net", "--pid", "--fork", "--kill-child", "--mount-proc"];
    let possible = Command::new("unshare").args(spaces).args(["ip", "link"]).output().await;
    if !possible.is_ok_and(|output| output.status.success()) {
        let required = std::env::var_os("MAINSTAY_REQUIRE_ENGINES").is_some_and(|value| value == "1");
        assert!(!required, "there are no network namespaces to be had (unshare, ip)");
        eprintln!("skipped: there are no network namespaces to be had (unshare, ip)");
        return;
    }
    let mut command = Command::new("unshare");
    command.args(spaces).arg(std::env::current_exe().unwrap());
    command.args(["--exact", "partition::inside", "--ignored", "--nocapture"]).env(INSIDE, "1").kill_on_drop(true);
    let ended = timeout(4 * SOON, command.output()).await.expect("it ends").unwrap();
    let said = String::from_utf8_lossy(&ended.stdout) + String::from_utf8_lossy(&ended.stderr);
    assert!(ended.status.success() && said.contains("1 passed"), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "runs in namespaces of its own: see above"]
async fn inside() {
    if std::env::var_os(INSIDE).is_none() {
        return;
    }
    let Some(mut net) = Net::start().await else { return };
    let mut acknowledged = Acknowledged::default();
    let first = writer(&net, &[0, 1, 2]).await;
    let others: Vec<usize> = (0..3).filter(|at| *at != first).collect();
    let register = async |client: &mut Client, number: u16, acknowledged: &mut Acknowledged| {
        let call = registration(&format!("r{number}"), number, None);
        let answer = client.insist(&call).await.unwrap();
        acknowledged.registered(&call, &answer);
    };
    for number in 1..=10 {
        register(&mut net.client(usize::from(number) % 3), number, &mut acknowledged).await;
    }
    let lease: LeaseId = "process-1".parse().unwrap();
    let held = net.client(first).hold(&lease).await.unwrap();
    let call = registration("held", 99, Some(&lease));
    acknowledged.registered(&call, &net.client(first).insist(&call).await.unwrap());
    let mut watchers: Vec<_> = (0..3).map(|at| Follower::start(net.client(at), Fold::default(), None)).collect();
    for watcher in &mut watchers {
        watcher.until("all seen", |fold| fold.instances.len() == 11).await;
    }
    let mut watch = net.client(first).watch(None).await.unwrap();

    net.cut(first).await;
    // Nothing that it says "yes" to may be lost, so it says no: at first as it cannot reach etcd, then as it knows.
    let late = timeout(SOON, net.client(first).ask(&registration("late", 98, None))).await.unwrap();
    assert!(matches!(late, Some(Err(StatusCode::SERVICE_UNAVAILABLE))), "{late:?}");
    let second = writer(&net, &others).await;
    for number in 11..=20 {
        register(&mut net.client(others[usize::from(number) % 2]), number, &mut acknowledged).await;
    }
    // By now somebody else has the beats.
    let beat = net.client(first).ask(&BeatLease { lease: lease.clone() }).await;
    assert!(matches!(beat, Some(Err(StatusCode::SERVICE_UNAVAILABLE))), "{beat:?}");
    ends(&mut watch).await;
    assert!(net.client(first).watch(None).await.is_none(), "it does not promise to tell what it cannot know");
    assert_eq!(net.client(first).list("ratings").await.instances.len(), 11, "but who was there is still told");
    // Its process has come back to another one, as it is told to.
    drop(held);
    let held = net.client(second).hold(&lease).await.unwrap();

    net.heal(first).await;
    for watcher in &mut watchers {
        watcher.until("all seen", |fold| fold.revision() >= acknowledged.revision()).await;
    }
    writer(&net, &[0, 1, 2]).await;
    for (at, watcher) in watchers.iter_mut().enumerate() {
        let listing = net.client(at).list("ratings").await;
        acknowledged.is_in(&listing);
        watcher.until("up to date", |fold| fold.revision() >= listing.revision).await;
        watcher.look(|fold| {
            fold.agrees_with(&listing);
            assert_eq!((fold.snapshots, fold.gone), (1, 0), "nobody has gone, and every cursor has gone on");
        });
    }
    register(&mut net.client(first), 21, &mut acknowledged).await;
    drop(held);
    for watcher in &mut watchers {
        watcher.until("gone with its process", |fold| fold.gone == 1).await;
    }
}

/// Waits until some replicas agree on who writes, among them.
async fn writer(net: &Net, among: &[usize]) -> usize {
    let agreed = async {
        loop {
            let mut said = Vec::new();
            for &at in among {
                let health = net.client(at).text("/health").await.unwrap();
                let health: Value = serde_json::from_str(&health).unwrap();
                said.push(health["writer"].as_str().and_then(|writer| net.at(writer)));
            }
            said.dedup();
            match said[..] {
                [Some(writer)] if among.contains(&writer) => break writer,
                _ => sleep(Duration::from_millis(50)).await,
            }
        }
    };
    timeout(SOON, agreed).await.expect("somebody writes")
}

/// A watch that cannot be kept any more is ended, with a word of when to come back.
async fn ends(watch: &mut Frames) {
    let closing = async {
        let mut closing = false;
        while let Some(frame) = watch.change().await {
            closing = matches!(frame, WatchFrame::Closing { .. });
        }
        closing
    };
    assert!(timeout(SOON, closing).await.expect("it ends"));
}
