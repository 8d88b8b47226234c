//! Whatever is sent, the answer says what was wrong, and the registry goes on.

use std::time::Duration;

use mainstay_registry::{Config, Limits};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

use crate::client::{Running, SOON, answer};

const R1: &str = "/v1/services/ratings/instances/r1";

#[tokio::test]
async fn what_is_wrong_is_named() {
    let registry = Running::start(Config::default()).await;
    let with = |fields: &str| format!(r#"{{"address":"127.0.0.1:1",{fields}}}"#);
    let many: Vec<_> = (0..65).map(|key| format!(r#""k{key}":"v""#)).collect();
    let many = with(&format!(r#""metadata":{{{}}}"#, many.join(",")));
    let long = |length| "x".repeat(length);
    let table: Vec<(&str, &str, String, u16, &str)> = vec![
        ("GET", "/nothing", String::new(), 404, "nothing at /nothing"),
        ("GET", "/v1/services/ratings/", String::new(), 404, "nothing at"),
        ("PATCH", R1, String::new(), 405, "does not take PATCH"),
        ("POST", "/v1/services", String::new(), 405, "does not take POST"),
        ("GET", "/v1/services/ratings/instances/r1/hold", String::new(), 405, "does not take GET"),
        ("PUT", R1, String::new(), 400, "missing field `address`"),
        ("PUT", R1, "{".to_owned(), 400, "EOF"),
        ("PUT", R1, "[]".to_owned(), 400, "expected a map"),
        ("PUT", R1, "address=127.0.0.1:1".to_owned(), 400, "expected value"),
        ("PUT", R1, r#"{"address":1}"#.to_owned(), 400, "expected a string"),
        ("PUT", R1, r#"{"address":"127.0.0.1"}"#.to_owned(), 400, "no port"),
        ("PUT", R1, with(r#""colour":"red""#), 400, "unknown field `colour`"),
        ("PUT", R1, with(r#""id":"r2""#), 400, r#"id is "r2" in the body"#),
        ("PUT", R1, with(r#""weight":0"#), 400, "weight is 0"),
        ("PUT", R1, with(r#""weight":1001"#), 400, "weight is 1001"),
        ("PUT", R1, with(r#""weight":70000"#), 400, "u16"),
        ("PUT", R1, with(r#""number":0"#), 400, "number is 0"),
        ("PUT", R1, with(r#""number":-1"#), 400, "u32"),
        ("PUT", R1, with(&format!(r#""zone":"{}""#, long(129))), 400, "zone is longer than 128"),
        ("PUT", R1, with(&format!(r#""version":"{}""#, long(129))), 400, "version is longer than 128"),
        ("PUT", R1, many, 400, "metadata has 65 entries"),
        ("PUT", R1, with(&format!(r#""metadata":{{"{}":""}}"#, long(129))), 400, "metadata key"),
        ("PUT", R1, with(r#""metadata":{"":"x"}"#), 400, "metadata key"),
        ("PUT", R1, with(&format!(r#""metadata":{{"k":"{}"}}"#, long(1025))), 400, r#"metadata value of "k""#),
        ("PUT", R1, long(64 * 1024 + 1), 413, "longer than 65536 bytes"),
        ("PUT", "/v1/services/Ratings/instances/r1", with(r#""weight":1"#), 400, r#"service name "Ratings""#),
        ("PUT", "/v1/services/ratings/instances/r%201", with(r#""weight":1"#), 400, r#"instance id "r 1""#),
        ("PUT", "/v1/services/ratings/instances/%FF", with(r#""weight":1"#), 400, "UTF-8"),
        ("GET", "/v1/services/9", String::new(), 400, "service name"),
        ("GET", "/v1/services/9/watch", String::new(), 400, "service name"),
        ("GET", "/v1/services/ratings?since=1", String::new(), 400, "unknown field `since`"),
        ("POST", "/v1/services/ratings/instances/r1/hold", with(r#""weight":0"#), 400, "weight is 0"),
        ("POST", "/v1/services/ratings/instances/r1/beat", String::new(), 404, "register again"),
        ("POST", "/v1/services/ratings/instances/r1/beat", r#"{"incarnation":"x"}"#.to_owned(), 400, "u64"),
        ("DELETE", R1, String::new(), 404, "r1 of ratings is not registered"),
        ("DELETE", "/v1/services/ratings/instances/r1?incarnation=x", String::new(), 400, "invalid digit"),
    ];
    for (method, path, body, status, why) in table {
        let answer = registry.ask(method, path, &body).await;
        assert_eq!(answer.status, status, "{method} {path}: {answer:?}");
        assert!(answer.reason().contains(why), "{method} {path}: {answer:?} does not say {why:?}");
        assert_eq!(registry.ids().await, [""; 0], "{method} {path} has registered something");
    }
    let answer = registry.ask("PATCH", R1, "").await;
    let allow = answer.head.lines().find_map(|line| line.strip_prefix("allow: ")).unwrap_or_default();
    assert!(allow.contains("put") && allow.contains("delete"), "{answer:?}");
    registry.stop().await;
}

#[tokio::test]
async fn any_content_type_will_do_if_the_body_is_json() {
    let registry = Running::start(Config::default()).await;
    for (content_type, id) in [("application/x-www-form-urlencoded", "a"), ("text/plain", "b"), ("", "c")] {
        let body = format!(r#"{{"address":"{id}:1"}}"#);
        let head = format!("PUT /v1/services/ratings/instances/{id} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n");
        let request = format!("{head}content-type: {content_type}\r\ncontent-length: {}\r\n\r\n{body}", body.len());
        assert_eq!(registry.send(request.as_bytes()).await.status, 200, "{content_type:?}");
    }
    assert_eq!(registry.ids().await, ["a", "b", "c"]);
    registry.stop().await;
}

#[tokio::test]
async fn ten_megabytes_are_refused_with_an_answer_that_arrives() {
    let registry = Running::start(Config::default()).await;
    let answer = registry.ask("PUT", R1, &" ".repeat(10 * 1024 * 1024)).await;
    assert_eq!(answer.status, 413);
    assert!(answer.reason().contains("65536"), "{answer:?}");
    registry.stop().await;
}

#[tokio::test]
async fn who_does_not_finish_a_request_is_not_waited_for() {
    let limits =
        Limits { head_time: Duration::from_millis(100), body_time: Duration::from_millis(100), ..Limits::default() };
    let registry = Running::start(Config { limits, ..Config::default() }).await;
    for start in ["", "PUT /v1/serv", "PUT / HTTP/1.1\r\nhost: x\r\n"] {
        let mut stream = registry.connect().await;
        stream.write_all(start.as_bytes()).await.unwrap();
        let mut rest = Vec::new();
        timeout(SOON, stream.read_to_end(&mut rest))
            .await
            .unwrap_or_else(|_| panic!("{start:?} is waited for"))
            .unwrap();
    }
    let mut stream = registry.connect().await;
    stream.write_all(format!("PUT {R1} HTTP/1.1\r\nhost: x\r\ncontent-length: 50\r\n\r\n{{").as_bytes()).await.unwrap();
    let answer = answer(stream).await;
    assert_eq!((answer.status, answer.reason().as_str()), (408, "the body took more than 100ms"));
    assert_eq!(registry.ids().await, [""; 0]);
    registry.stop().await;
}

#[tokio::test]
async fn random_bytes_end_their_connection_and_nothing_else() {
    let registry = Running::start(Config::default()).await;
    let mut runner = TestRunner::deterministic();
    let junk = prop::collection::vec(any::<u8>(), 1..2_000);
    let request =
        "(GET|PUT|POST|DELETE) /v1/services/[a-z%/?]{0,20}( HTTP/1.1)?\r\n([a-z-]{1,12}: ?[ -~]{0,20}\r\n){0,4}\r\n";
    let request = prop::string::string_regex(request).unwrap().prop_map(String::into_bytes);
    let input = prop_oneof![junk, request];
    for _ in 0..200 {
        let bytes = input.new_tree(&mut runner).unwrap().current();
        let mut stream = registry.connect().await;
        // The registry may close on what it has read so far, before the rest is written.
        let _ = stream.write_all(&bytes).await;
        let _ = stream.shutdown().await;
        let mut rest = Vec::new();
        let _ = timeout(SOON, stream.read_to_end(&mut rest)).await.expect("the connection ends");
    }
    assert_eq!(registry.ask("GET", "/health", "").await.status, 200);
    registry.stop().await;
}
