//! `kill -9` of the program's state: what was acknowledged is there again.

use std::fs;
use std::time::Duration;

use mainstay_registry::Config;
use serde_json::Value;
use tempfile::TempDir;
use tokio::time::sleep;

use crate::client::{Running, short};

/// The directory as it is at this moment, which is what a killed process leaves behind.
#[expect(clippy::unwrap_used, reason = "what helps a test fails as a test does")]
fn copied(dir: &TempDir) -> TempDir {
    let copy = TempDir::new().unwrap();
    for name in ["registry.db", "registry.db-wal"] {
        fs::copy(dir.path().join(name), copy.path().join(name)).unwrap();
    }
    copy
}

fn kept_in(dir: &TempDir, grace: Duration) -> Config {
    Config { data: Some(dir.path().to_owned()), grace, ..short() }
}

#[tokio::test]
async fn a_registry_that_is_killed_keeps_keys_locks_and_sessions() {
    let dir = TempDir::new().unwrap();
    let registry = Running::start(kept_in(&dir, Duration::from_millis(500))).await;
    let held = registry.session(r#"{"TTL":"300ms","LockDelay":0,"Behavior":"delete"}"#).await;
    let left = registry.session(r#"{"LockDelay":"60s"}"#).await;
    registry.put(&format!("/v1/kv/held?acquire={held}"), "mine").await;
    registry.put(&format!("/v1/kv/left?acquire={left}"), "theirs").await;
    registry.put("/v1/kv/plain?flags=9", "value").await;
    registry.put("/v1/kv/deleted", "").await;
    registry.delete("/v1/kv/deleted").await;
    registry.put(&format!("/v1/session/destroy/{left}"), "").await;
    let paths = ["kv/?recurse", "kv/deleted", "kv/nothing", "session/list"].map(|path| format!("/v1/{path}"));
    let mut before = Vec::new();
    for path in &paths {
        let answer = registry.get(path).await;
        before.push((answer.status, answer.index(), answer.body));
    }
    let copy = copied(&dir);
    registry.stop().await;

    let registry = Running::start(kept_in(&copy, Duration::from_millis(500))).await;
    for (path, before) in paths.iter().zip(before) {
        let answer = registry.get(path).await;
        assert_eq!((answer.status, answer.index(), answer.body), before, "{path}");
    }
    let health = registry.get("/health").await.json();
    assert_eq!((&health["damage"], &health["revision"]), (&Value::Null, &Value::from(9)));
    let other = registry.session("").await;
    assert!(!registry.put(&format!("/v1/kv/left?acquire={other}"), "").await.is_true(), "its lock delay goes on");
    assert_eq!(registry.get("/v1/kv/held").await.one()["Session"], held.as_str());
    assert_eq!(registry.put(&format!("/v1/session/renew/{held}"), "").await.status, 200);
    // Not renewed any more, it ends here as it would have there.
    let gone = async {
        while registry.get("/v1/kv/held").await.status != 404 {
            sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(8), gone).await.expect("the session ends");
    registry.stop().await;
}
