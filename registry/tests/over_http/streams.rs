//! Streams that end as their clients do.

use std::process::Stdio;
use std::time::{Duration, SystemTime};

use mainstay_contracts::registry::{GoneReason, HoldFrame, WatchFrame};
use mainstay_registry::Config;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::Command;
use tokio::time::Instant;

use crate::client::{Lines, Running};

/// Far above what it takes, and far below any timer.
const AT_ONCE: Duration = Duration::from_millis(500);

async fn changed(lines: &mut Lines) -> String {
    match lines.next().await {
        Some(WatchFrame::Changed { listed, .. }) => listed.instance.id.to_string(),
        other => panic!("{other:?} is not a change"),
    }
}

async fn gone(lines: &mut Lines) -> (String, GoneReason) {
    match lines.next().await {
        Some(WatchFrame::Gone { id, why, .. }) => (id.to_string(), why),
        other => panic!("{other:?} is not a farewell"),
    }
}

#[tokio::test]
async fn a_watcher_sees_who_comes_changes_and_goes() {
    let registry = Running::start(Config::default()).await;
    let mut watch = registry.watch().await;
    let Some(WatchFrame::Snapshot(listing)) = watch.next().await else { panic!("the first is a snapshot") };
    assert_eq!((listing.revision, listing.instances.len()), (0, 0));
    registry.register("r1", 1).await;
    assert_eq!(changed(&mut watch).await, "r1");
    registry.register("r1", 2).await;
    assert_eq!(changed(&mut watch).await, "r1");
    registry.ask("DELETE", "/v1/services/ratings/instances/r1", "").await;
    assert_eq!(gone(&mut watch).await, ("r1".to_owned(), GoneReason::Left));
    registry.stop().await;
}

#[tokio::test]
async fn a_connection_that_closes_is_an_instance_that_is_gone() {
    let registry = Running::start(Config::default()).await;
    let mut watch = registry.watch().await;
    watch.next::<WatchFrame>().await;
    let mut held = registry.hold("r1", 1, 1).await;
    assert!(matches!(held.next().await, Some(HoldFrame::Held(_))));
    assert_eq!(changed(&mut watch).await, "r1");
    let begin = Instant::now();
    drop(held);
    assert_eq!(gone(&mut watch).await, ("r1".to_owned(), GoneReason::ConnectionClosed));
    assert!(begin.elapsed() < AT_ONCE, "{:?}", begin.elapsed());
    registry.stop().await;
}

#[tokio::test]
async fn a_process_that_is_killed_is_an_instance_that_is_gone() {
    let registry = Running::start(Config::default()).await;
    let mut watch = registry.watch().await;
    watch.next::<WatchFrame>().await;
    let (host, port) = (registry.address.ip(), registry.address.port());
    let mut child = Command::new("bash")
        .args(["-c", &format!("exec 3<>/dev/tcp/{host}/{port}; cat >&3; exec cat <&3")])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let body = r#"{"address":"127.0.0.1:1"}"#;
    let head = "POST /v1/services/ratings/instances/r1/hold HTTP/1.1\r\nhost: x\r\n";
    let request = format!("{head}content-length: {}\r\n\r\n{body}", body.len());
    child.stdin.take().unwrap().write_all(request.as_bytes()).await.unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).await.unwrap();
    assert!(line.contains("200 OK"), "{line}");
    assert_eq!(changed(&mut watch).await, "r1");
    let begin = Instant::now();
    child.kill().await.unwrap();
    assert_eq!(gone(&mut watch).await, ("r1".to_owned(), GoneReason::ConnectionClosed));
    assert!(begin.elapsed() < AT_ONCE, "{:?}", begin.elapsed());
    registry.stop().await;
}

#[tokio::test]
async fn the_later_start_of_a_process_ends_the_connection_of_the_earlier() {
    let registry = Running::start(Config::default()).await;
    let mut earlier = registry.hold("r1", 1, 1).await;
    earlier.next::<HoldFrame>().await;
    let mut later = registry.hold("r1", 1, 2).await;
    assert!(matches!(later.next().await, Some(HoldFrame::Held(_))));
    assert_eq!(earlier.next().await, Some(HoldFrame::Superseded { incarnation: 2 }));
    assert_eq!(earlier.next::<HoldFrame>().await, None);
    drop(earlier);
    assert_eq!(registry.ids().await, ["r1"]);
    registry.stop().await;
}

#[tokio::test]
async fn a_registry_stops_within_a_second_whatever_its_clients_do() {
    let registry = Running::start(Config::default()).await;
    let mut watch = registry.watch().await;
    watch.next::<WatchFrame>().await;
    let mut held = registry.hold("r1", 1, 1).await;
    held.next::<HoldFrame>().await;
    assert_eq!(changed(&mut watch).await, "r1");
    let mut half = registry.connect().await;
    half.write_all(b"PUT /v1/services/ratings/instances/r2 HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\n{")
        .await
        .unwrap();
    let idle = registry.connect().await;
    let begin = Instant::now();
    registry.stop().await;
    assert!(begin.elapsed() < Duration::from_secs(1), "{:?}", begin.elapsed());
    assert!(matches!(watch.next().await, Some(WatchFrame::Closing { .. })), "nobody is gone because the registry is");
    assert_eq!(watch.next::<WatchFrame>().await, None);
    assert!(matches!(held.next().await, Some(HoldFrame::Closing { .. })));
    assert_eq!(held.next::<HoldFrame>().await, None);
    drop((half, idle));
}

#[tokio::test]
async fn the_next_life_has_a_later_epoch() {
    let mut epochs = Vec::new();
    for _ in 0..2 {
        let registry = Running::start(Config::default()).await;
        let answer = registry.ask("GET", "/health", "").await;
        let health: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
        assert_eq!(health["status"], "ok");
        epochs.push(health["epoch"].as_u64().unwrap());
        registry.stop().await;
    }
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_micros();
    assert!(epochs[0] < epochs[1] && u128::from(epochs[1]) <= now, "{epochs:?}");
}
