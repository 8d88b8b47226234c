//! Sessions: made, told, renewed, ended.

use mainstay_registry::Config;
use serde_json::json;

use crate::client::Running;

#[tokio::test]
async fn a_session_is_told_as_it_was_asked_for() {
    let registry = Running::start(Config::default()).await;
    let plain = registry.session("").await;
    assert_eq!(plain.len(), 36);
    let answer = registry.get(&format!("/v1/session/info/{plain}")).await;
    let told = json!({
        "ID": plain, "Name": "", "Node": "mainstay", "LockDelay": 15_000_000_000_u64, "Behavior": "release", "TTL": "",
        "NodeChecks": [], "ServiceChecks": [], "CreateIndex": answer.index(), "ModifyIndex": answer.index()
    });
    assert_eq!(answer.one(), told);
    let terms = r#"{"name":"job","NODE":"here","tTL":"1m30s","behavior":"delete","LockDelay":5,"checks":["serfHealth"],
        "NodeChecks":["serfHealth"],"ServiceChecks":null}"#;
    let other = registry.session(terms).await;
    let later = registry.get(&format!("/v1/session/info/{other}")).await;
    let (told, index) = (later.one(), later.index());
    assert_eq!((&told["CreateIndex"], index), (&json!(index), answer.index() + 1));
    for (field, value) in [("Name", json!("job")), ("Node", json!("here")), ("TTL", json!("90s"))] {
        assert_eq!(told[field], value);
    }
    assert_eq!((&told["Behavior"], &told["LockDelay"]), (&json!("delete"), &json!(5_000_000_000_u64)));
    for (path, ids) in [("list", 2), ("node/here", 1), ("node/mainstay", 1), ("node/nowhere", 0), ("info/x", 0)] {
        let answer = registry.get(&format!("/v1/session/{path}")).await;
        assert_eq!((answer.json().as_array().unwrap().len(), answer.index()), (ids, index), "{path}");
    }
    registry.stop().await;
}

#[tokio::test]
async fn a_lock_delay_is_read_as_clients_write_it() {
    let registry = Running::start(Config::default()).await;
    for (said, seconds) in [(r#""15s""#, 15), ("15", 15), ("20000000000", 20), (r#""0s""#, 0), ("0", 0), (r#""""#, 15)]
    {
        let id = registry.session(&format!(r#"{{"LockDelay":{said}}}"#)).await;
        let told = registry.get(&format!("/v1/session/info/{id}")).await.one();
        assert_eq!(told["LockDelay"], seconds * 1_000_000_000_u64, "{said}");
    }
    registry.stop().await;
}

#[tokio::test]
async fn who_has_a_session_can_lock_renew_and_end_it() {
    let registry = Running::start(Config::default()).await;
    let [a, b] = [registry.session(r#"{"TTL":"10s"}"#).await, registry.session(r#"{"LockDelay":0}"#).await];
    let acquire = async |id: &str| registry.put(&format!("/v1/kv/job?acquire={id}"), "w").await.is_true();
    assert!(acquire(&a).await && acquire(&a).await && !acquire(&b).await);
    let told = registry.get("/v1/kv/job").await.one();
    assert_eq!((&told["Session"], &told["LockIndex"]), (&json!(a), &json!(1)));
    let revision = registry.get("/health").await.json()["revision"].clone();
    let renewed = registry.put(&format!("/v1/session/renew/{a}"), "").await;
    assert_eq!((renewed.one()["ID"].clone(), renewed.one()["TTL"].clone()), (json!(a), json!("10s")));
    assert_eq!(registry.get("/health").await.json()["revision"], revision, "a renewal is no change");
    assert!(!registry.put(&format!("/v1/kv/job?release={b}"), "w").await.is_true());
    assert!(registry.put(&format!("/v1/kv/job?release={a}"), "w").await.is_true());
    assert!(acquire(&b).await, "who gives it back leaves no delay");
    assert_eq!(registry.get("/v1/kv/job").await.one()["LockIndex"], 2);
    for _ in 0..2 {
        assert!(registry.put(&format!("/v1/session/destroy/{b}"), "").await.is_true());
    }
    let told = registry.get("/v1/kv/job").await.one();
    assert_eq!((told.get("Session"), &told["LockIndex"]), (None, &json!(2)));
    assert!(acquire(&a).await, "its lock delay is none");
    assert!(registry.put(&format!("/v1/session/destroy/{a}"), "").await.is_true());
    let c = registry.session("").await;
    assert!(!acquire(&c).await, "and this one's is 15 s");
    let gone = registry.put(&format!("/v1/session/renew/{a}"), "").await;
    assert_eq!((gone.status, gone.text()), (404, format!("session {a:?} is not there").as_str()));
    registry.stop().await;
}
