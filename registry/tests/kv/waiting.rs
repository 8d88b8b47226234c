//! Blocking queries.

use std::time::Duration;

use mainstay_registry::{Config, KvLimits, Limits};
use tokio::time::{Instant, sleep, timeout};

use crate::client::{Running, ask};

#[tokio::test]
async fn an_absent_key_a_change_and_a_delete_are_waited_for() {
    let registry = Running::start(Config::default()).await;
    let address = registry.address;
    for path in ["/v1/kv/a/b?", "/v1/kv/a/?recurse&", "/v1/kv/?keys&"] {
        for step in ["put", "change", "delete"] {
            let before = registry.get(path).await.index();
            let waiting = tokio::spawn(async move { ask(address, "GET", &format!("{path}index={before}"), b"").await });
            // Others' changes, for as long as it takes to see that they wake nobody. The last path is everybody's.
            if path != "/v1/kv/?keys&" {
                for other in 0..20 {
                    registry.put("/v1/kv/other", other.to_string()).await;
                }
                registry.delete("/v1/kv/other").await;
                assert!(!waiting.is_finished(), "{path} {step}: woken by another key");
            }
            match step {
                "put" | "change" => drop(registry.put("/v1/kv/a/b", step).await),
                _ => drop(registry.delete("/v1/kv/a/b").await),
            }
            let answer = timeout(Duration::from_secs(5), waiting).await.expect("it is woken").unwrap();
            assert!(answer.index() > before, "{path} {step}: {answer:?}");
            assert_eq!(answer.status, if step == "delete" { 404 } else { 200 }, "{path} {step}");
        }
    }
    registry.stop().await;
}

#[tokio::test]
async fn the_very_first_change_of_all_wakes_who_waits_for_it() {
    for (path, other) in [("kv/a", "kv/b"), ("kv/?keys", "kv/b"), ("session/list", "session/node/x")] {
        let registry = Running::start(Config::default()).await;
        let (address, nothing) = (registry.address, registry.get(&format!("/v1/{path}")).await.index());
        assert_eq!(registry.get(&format!("/v1/{other}")).await.index(), nothing);
        let mark = if path.contains('?') { '&' } else { '?' };
        let path = format!("/v1/{path}{mark}index={nothing}");
        let waiting = tokio::spawn(async move { ask(address, "GET", &path, b"").await });
        match other {
            "kv/b" => drop(registry.put("/v1/kv/a", "x").await),
            _ => drop(registry.session("").await),
        }
        let answer = timeout(Duration::from_secs(5), waiting).await.expect("it is woken").unwrap();
        assert!(answer.index() > nothing, "{answer:?}");
        registry.stop().await;
    }
}

#[tokio::test]
async fn it_is_over_when_it_was_said_to_be_and_not_before() {
    let registry = Running::start(Config::default()).await;
    for path in ["kv/a?index=1&wait=150ms", "kv/a/?keys&index=1&wait=150ms", "session/list?index=1&wait=150ms"] {
        let start = Instant::now();
        let answer = registry.get(&format!("/v1/{path}")).await;
        let took = start.elapsed();
        assert_eq!(answer.index(), 1, "{path}");
        assert!(took >= Duration::from_millis(150) && took < Duration::from_secs(2), "{path}: {took:?}");
    }
    let start = Instant::now();
    registry.get("/v1/kv/a?index=0&wait=10s").await;
    registry.get("/v1/kv/a?wait=10s").await;
    assert!(start.elapsed() < Duration::from_secs(2), "who has seen nothing does not wait");
    registry.stop().await;
}

#[tokio::test]
async fn who_leaves_gives_the_place_back_and_a_stop_answers() {
    let kv = KvLimits { waiting: 1, ..KvLimits::default() };
    let registry = Running::start(Config { limits: Limits { kv, ..Limits::default() }, ..Config::default() }).await;
    let address = registry.address;
    // Whoever looks whether the place is taken takes it for that long.
    let wait = move || {
        tokio::spawn(async move {
            loop {
                let answer = ask(address, "GET", "/v1/kv/a?index=1", b"").await;
                if answer.status != 503 {
                    return answer;
                }
            }
        })
    };
    let full = async || registry.get("/v1/kv/b?index=1&wait=1ms").await.status == 503;
    let until = async |wanted: bool| {
        while full().await != wanted {
            sleep(Duration::from_millis(5)).await;
        }
    };
    let left = wait();
    timeout(Duration::from_secs(5), until(true)).await.expect("it waits");
    left.abort();
    timeout(Duration::from_secs(5), until(false)).await.expect("its place is free");
    let waiting = wait();
    timeout(Duration::from_secs(5), until(true)).await.expect("it waits");
    registry.stop().await;
    let answer = waiting.await.unwrap();
    assert_eq!((answer.status, answer.index()), (404, 1));
}
