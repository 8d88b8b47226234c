//! Keys: put, read, listed, deleted.

use mainstay_registry::Config;
use serde_json::{Value, json};

use crate::client::Running;

#[tokio::test]
async fn a_key_is_told_with_all_that_is_known_of_it() {
    let registry = Running::start(Config::default()).await;
    let absent = registry.get("/v1/kv/app/a").await;
    let nothing = absent.index();
    assert_eq!((absent.status, nothing > 0, absent.body.len()), (404, true, 0), "absent, and can be waited for");
    assert!(registry.put("/v1/kv/app/a?flags=18446744073709551615", "valu\u{e9}").await.is_true());
    let answer = registry.get("/v1/kv/app/a").await;
    let index = answer.index();
    assert!(index > nothing, "{index} after {nothing}");
    let told = json!({
        "LockIndex": 0, "Key": "app/a", "Flags": u64::MAX, "Value": "dmFsdcOp", "CreateIndex": index, "ModifyIndex": index
    });
    assert_eq!(answer.one(), told);
    assert_eq!(answer.header("x-consul-knownleader"), Some("true"));
    assert_eq!(answer.header("x-consul-lastcontact"), Some("0"));
    let raw = registry.get("/v1/kv/app/a?raw").await;
    assert_eq!((raw.text(), raw.index()), ("valu\u{e9}", index));
    registry.put("/v1/kv/app/a", "").await;
    assert_eq!(registry.get("/v1/kv/app/a").await.one()["Value"], Value::Null, "an empty one");
    registry.stop().await;
}

#[tokio::test]
async fn a_key_is_any_text() {
    let registry = Running::start(Config::default()).await;
    for (path, key) in [("/a//b", "/a//b"), ("a%2Fb", "a/b"), ("%C3%A9%20%3F%23+", "\u{e9} ?#+"), ("..", "..")] {
        assert!(registry.put(&format!("/v1/kv/{path}"), "").await.is_true(), "{path}");
        assert_eq!(registry.get(&format!("/v1/kv/{path}")).await.one()["Key"], key);
    }
    let value: Vec<u8> = (0..=255).collect();
    registry.put("/v1/kv/bytes", &value).await;
    assert_eq!(registry.get("/v1/kv/bytes?raw=1").await.body, value);
    registry.stop().await;
}

#[tokio::test]
async fn a_put_or_delete_that_names_an_index_is_done_only_at_that() {
    let registry = Running::start(Config::default()).await;
    let index = async || registry.get("/v1/kv/a").await.index();
    let nothing = index().await;
    assert!(!registry.put(&format!("/v1/kv/a?cas={nothing}"), "x").await.is_true());
    assert!(registry.put("/v1/kv/a?cas=0", "x").await.is_true());
    for no in [0, nothing] {
        assert!(!registry.put(&format!("/v1/kv/a?cas={no}"), "y").await.is_true());
    }
    let first = index().await;
    assert!(registry.put(&format!("/v1/kv/a?cas={first}"), "y").await.is_true());
    for no in [0, nothing, first] {
        assert!(!registry.delete(&format!("/v1/kv/a?cas={no}")).await.is_true());
    }
    let second = index().await;
    assert!(registry.delete(&format!("/v1/kv/a?cas={second}")).await.is_true());
    assert!(registry.delete(&format!("/v1/kv/a?cas={second}")).await.is_true(), "it is not there");
    assert_eq!(registry.get("/v1/kv/a").await.status, 404);
    registry.stop().await;
}

#[tokio::test]
async fn all_below_a_prefix_is_read_named_and_deleted() {
    let registry = Running::start(Config::default()).await;
    for key in ["a", "a/b", "a/c/1", "a/c/2", "ab", "b"] {
        registry.put(&format!("/v1/kv/{key}"), key).await;
    }
    let keys = async |path: &str| -> Vec<String> {
        let answer = registry.get(path).await;
        serde_json::from_value(answer.json()).unwrap_or_else(|error| panic!("{path}: {error}: {answer:?}"))
    };
    assert_eq!(keys("/v1/kv/a/?keys").await, ["a/b", "a/c/1", "a/c/2"]);
    assert_eq!(keys("/v1/kv/a/?keys=True&separator=/").await, ["a/b", "a/c/"]);
    assert_eq!(keys("/v1/kv/?keys&separator=%2F").await, ["a", "a/", "ab", "b"]);
    assert_eq!(keys("/v1/kv/a?keys&recurse").await.len(), 5);
    let below = registry.get("/v1/kv/a/c?recurse=true").await;
    let below: Vec<_> = below.json().as_array().unwrap().iter().map(|told| told["Value"].clone()).collect();
    assert_eq!(below, ["YS9jLzE=", "YS9jLzI="]);
    let (before, other) = (registry.get("/v1/kv/a/?keys").await.index(), registry.get("/v1/kv/b").await.index());
    assert!(registry.delete("/v1/kv/a/?recurse").await.is_true());
    let after = registry.get("/v1/kv/a/?keys").await;
    assert_eq!((after.status, after.index() > before), (404, true), "{after:?}");
    assert_eq!(keys("/v1/kv/?keys").await, ["a", "ab", "b"]);
    assert_eq!(registry.get("/v1/kv/b").await.index(), other, "another key's index is its own");
    assert!(registry.delete("/v1/kv/?recurse").await.is_true());
    assert_eq!(registry.get("/v1/kv/?recurse").await.status, 404);
    registry.stop().await;
}

#[tokio::test]
async fn an_index_is_one_more_than_a_revision_of_the_registry() {
    let registry = Running::start(Config::default()).await;
    registry.put("/v1/services/ratings/instances/r1", r#"{"address":"127.0.0.1:1"}"#).await;
    registry.put("/v1/kv/a", "x").await;
    let revision = registry.get("/health").await.json()["revision"].as_u64().unwrap();
    assert_eq!(registry.get("/v1/kv/a").await.one()["ModifyIndex"], revision + 1);
    let listed = registry.get("/v1/health/service/ratings").await;
    assert!(listed.index() <= revision, "what came before has a lower one: {listed:?}");
    registry.stop().await;
}
