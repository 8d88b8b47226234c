//! What one client can take from the others.

use std::time::Duration;

use mainstay_contracts::registry::WatchFrame;
use mainstay_registry::{Config, Limits};

use crate::client::Running;

async fn start(limits: Limits) -> Running {
    Running::start(Config { limits, ..Config::default() }).await
}

#[tokio::test]
async fn beyond_a_limit_the_answer_is_503_with_the_limit() {
    let registry = start(Limits { instances: 1, watchers: 1, ..Limits::default() }).await;
    registry.register("r1", 1).await;
    let answer = registry.ask("PUT", "/v1/services/ratings/instances/r2", r#"{"address":"127.0.0.1:2"}"#).await;
    assert_eq!((answer.status, answer.reason().as_str()), (503, "ratings has 1 instances, and may not have more"));
    let mut watch = registry.watch().await;
    watch.next::<WatchFrame>().await;
    let answer = registry.ask("GET", "/v1/services/ratings/watch", "").await;
    assert_eq!((answer.status, answer.reason().as_str()), (503, "there are 1 watchers, and may not be more"));
    registry.stop().await;
}

#[tokio::test]
async fn a_connection_too_many_waits_for_another_to_close() {
    let limits = Limits { connections: 1, ..Limits::default() };
    let bookmark_every = Duration::from_millis(50);
    let registry = Running::start(Config { bookmark_every, limits, ..Config::default() }).await;
    let mut watch = registry.watch().await;
    watch.next::<WatchFrame>().await;
    let mut waiting = Box::pin(registry.ids());
    tokio::select! {
        biased;
        ids = &mut waiting => panic!("{ids:?} without a free connection"),
        // Those who have a connection are served meanwhile.
        frame = watch.next() => assert!(matches!(frame, Some(WatchFrame::Bookmark { revision: 0, .. }))),
    }
    drop(watch);
    assert_eq!(waiting.as_mut().await, [""; 0]);
    drop(waiting);
    registry.stop().await;
}

#[tokio::test]
async fn the_page_shows_who_is_there() {
    let registry = start(Limits::default()).await;
    let answer = registry.ask("GET", "/", "").await;
    assert!(answer.status == 200 && answer.body.contains("No service has registered yet"), "{answer:?}");
    registry.register("r1", 8001).await;
    let page = registry.ask("GET", "/", "").await.body;
    for text in ["r1", "http://127.0.0.1:8001", r#"class="up""#, "0 s ago", "curl x/v1/services/ratings"] {
        assert!(page.contains(text), "{text} is not on the page");
    }
    registry.stop().await;
}
