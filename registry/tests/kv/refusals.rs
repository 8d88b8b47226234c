//! What is refused says which part of it.

use mainstay_registry::{Access, Config, KvLimits, Limits, Rights, Token};
use tempfile::TempDir;

use crate::client::{Running, ask_with};

#[tokio::test]
async fn what_is_wrong_is_named_in_plain_text() {
    let registry = Running::start(Config::default()).await;
    let long = |length| "k".repeat(length);
    let (key, value) = (format!("/v1/kv/{}", long(513)), long(65_537));
    let create = "/v1/session/create";
    let name = format!(r#"{{"Name":"{}"}}"#, long(513));
    let table = [
        ("GET", "/v1/kv/", "", 400, "no key"),
        ("PUT", "/v1/kv/", "", 400, "no key"),
        ("DELETE", "/v1/kv/", "", 400, "no key"),
        ("GET", "/v1/kv/%FF", "", 400, "UTF-8"),
        ("PUT", &key, "", 400, "513 bytes is not from 1 to 512"),
        ("PUT", "/v1/kv/a", &value, 413, "longer than 65536 bytes"),
        ("GET", "/v1/kv/a?dc=elsewhere", "", 500, "No path to datacenter"),
        ("GET", "/v1/kv/a?ns=x", "", 400, r#""ns""#),
        ("PUT", "/v1/kv/a?partition=x", "", 400, r#""partition""#),
        ("GET", "/v1/kv/a?filter=x", "", 400, r#""filter""#),
        ("GET", "/v1/kv/a?cas=1", "", 400, r#""cas""#),
        ("PUT", "/v1/kv/a?recurse", "", 400, r#""recurse""#),
        ("GET", "/v1/kv/a?recurse=0", "", 400, "is a flag"),
        ("GET", "/v1/kv/a?recurse=false", "", 400, "is a flag"),
        ("GET", "/v1/kv/a?raw&recurse", "", 400, "exclude each other"),
        ("GET", "/v1/kv/a?stale&consistent", "", 400, "conflicting"),
        ("GET", "/v1/kv/a?separator=/", "", 400, r#"goes with "keys""#),
        ("GET", "/v1/kv/a?index=x", "", 400, r#"Invalid index: "x""#),
        ("GET", "/v1/kv/a?index=1&wait=soon", "", 400, r#"Invalid wait time: "soon""#),
        ("GET", "/v1/kv/a?raw&raw", "", 400, "twice"),
        ("PUT", "/v1/kv/a?flags=-1", "", 400, r#""flags" is no number"#),
        ("PUT", "/v1/kv/a?flags=18446744073709551616", "", 400, r#""flags" is no number"#),
        ("PUT", "/v1/kv/a?cas=1&acquire=x", "", 400, "exclude each other"),
        ("PUT", "/v1/kv/a?acquire=x&release=x", "", 400, "exclude each other"),
        ("DELETE", "/v1/kv/a?recurse&cas=1", "", 400, "exclude each other"),
        // As Consul has it: its clients look for this status and this beginning.
        ("PUT", "/v1/kv/a?acquire=nobody", "", 500, r#"invalid session "nobody""#),
        ("PUT", create, "[]", 400, "no JSON object"),
        ("PUT", create, r#"{"Colour":"red"}"#, 400, r#""colour""#),
        ("PUT", create, r#"{"TTL":"10s","ttl":"20s"}"#, 400, "twice"),
        ("PUT", create, r#"{"TTL":10}"#, 400, "TTL"),
        ("PUT", create, r#"{"TTL":"soon"}"#, 400, "TTL is no length of time"),
        ("PUT", create, r#"{"TTL":"9s"}"#, 400, "at least 10s"),
        ("PUT", create, r#"{"TTL":"24h1s"}"#, 400, "at most 86400s"),
        ("PUT", create, r#"{"LockDelay":"61s"}"#, 400, "at most 60s"),
        ("PUT", create, r#"{"LockDelay":-1}"#, 400, "LockDelay"),
        ("PUT", create, r#"{"Behavior":"keep"}"#, 400, "Behavior"),
        ("PUT", create, r#"{"Checks":["serfHealth","mine"]}"#, 400, r#"check "mine""#),
        ("PUT", create, r#"{"ServiceChecks":[{"ID":"mine"}]}"#, 400, "only its TTL can"),
        ("PUT", create, &name, 400, "Name is longer than 512"),
        ("PUT", "/v1/session/create?filter=x", "", 400, r#""filter""#),
        ("PUT", "/v1/session/renew/nobody", "", 404, r#"session "nobody""#),
    ];
    for (method, path, body, status, why) in table {
        let answer = registry.ask(method, path, body.as_bytes()).await;
        assert_eq!(answer.status, status, "{method} {path} {body}: {answer:?}");
        assert!(answer.text().contains(why), "{method} {path} {body}: {answer:?} does not say {why:?}");
        assert!(answer.header("content-type").is_some_and(|kind| kind.starts_with("text/plain")), "{answer:?}");
    }
    for (method, path) in [("POST", "/v1/kv/a"), ("GET", create), ("PUT", "/v1/session/list")] {
        assert_eq!(registry.ask(method, path, b"").await.status, 405, "{method} {path}");
    }
    assert_eq!(registry.get("/v1/kv/?keys").await.status, 404, "something was put");
    assert_eq!(registry.get("/v1/session/list").await.text(), "[]");
    assert_eq!(registry.get("/health").await.json()["revision"], 0);
    registry.stop().await;
}

#[tokio::test]
async fn what_says_nothing_new_is_accepted() {
    let registry = Running::start(Config::default()).await;
    assert!(registry.put("/v1/kv/a?dc=dc1&token=x&pretty", "x").await.is_true());
    for path in ["/v1/kv/a?stale", "/v1/kv/a?consistent=1&token=", "/v1/kv/a?dc=&pretty=true", "/v1/kv/a?stale=True"] {
        assert_eq!(registry.get(path).await.one()["Value"], "eA==", "{path}");
    }
    assert!(registry.get("/v1/kv/a?pretty").await.text().contains("\n  "));
    registry.stop().await;
}

#[tokio::test]
async fn with_tokens_keys_are_for_those_who_have_a_right_to_all_services() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("tokens.json");
    let [some, reader, all] = [(); 3].map(|()| Token::new().unwrap());
    let [empty, ratings] = ["", "ratings"].map(|name| vec![name.to_owned()]);
    some.add(&path, "some", Rights { read: ratings.clone(), register: ratings }).unwrap();
    reader.add(&path, "reader", Rights { read: empty, register: Vec::new() }).unwrap();
    all.add(&path, "all", Rights::all()).unwrap();
    let access = Some(Access::load(&path).unwrap());
    let registry = Running::start(Config { access, ..Config::default() }).await;
    let shown = |token: &Token| format!("x-consul-token: {}\r\n", token.reveal());
    let who = [String::new(), shown(&some), shown(&reader), shown(&all)];
    for (headers, [put, get]) in who.iter().zip([[401, 401], [403, 403], [403, 404], [200, 200]]) {
        for (method, path, status) in [
            ("PUT", "/v1/kv/a", put),
            ("PUT", "/v1/session/create", put),
            ("GET", "/v1/kv/a", get),
            ("DELETE", "/v1/kv/other", put),
        ] {
            let answer = ask_with(registry.address, headers, method, path, b"").await;
            assert_eq!(answer.status, status, "{method} {path} {headers}: {answer:?}");
        }
    }
    registry.stop().await;
}

#[tokio::test]
async fn beyond_a_limit_the_answer_is_503_with_the_limit() {
    let kv = KvLimits { keys: 1, bytes: 8, sessions: 1, waiting: 0, ..KvLimits::default() };
    let registry = Running::start(Config { limits: Limits { kv, ..Limits::default() }, ..Config::default() }).await;
    assert!(registry.put("/v1/kv/a", "1234567").await.is_true());
    registry.session("").await;
    for (path, limit) in [("kv/b", "1 keys"), ("kv/a", "8 bytes"), ("session/create", "1 sessions")] {
        let body = if path == "kv/a" { "12345678" } else { "" };
        let answer = registry.put(&format!("/v1/{path}"), body).await;
        assert_eq!((answer.status, answer.text().contains(limit)), (503, true), "{answer:?}");
    }
    let seen = registry.get("/v1/kv/a").await.index();
    let answer = registry.get(&format!("/v1/kv/a?index={seen}")).await;
    assert_eq!((answer.status, answer.text().starts_with("0 requests wait")), (503, true), "{answer:?}");
    registry.stop().await;
}
