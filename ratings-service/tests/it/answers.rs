//! What the service says.

use serde_json::json;

use crate::support::{Running, ask};

#[tokio::test]
async fn four_things_have_a_rating() {
    let ratings = Running::alone().await;
    for (thing, rating) in [("basketball", 2.1), ("briefcase", 3.5), ("camera", 4.5), ("football", 2.2)] {
        let answer = ratings.get(&format!("/ratings/{thing}")).await;
        assert_eq!((answer.status, answer.body), (200, json!({ "thing": thing, "rating": rating })));
    }
    assert_eq!(ratings.get("/health").await.body, json!({ "status": "ok" }));
}

#[tokio::test]
async fn whatever_else_is_asked_is_refused_with_the_reason() {
    let ratings = Running::alone().await;
    for (line, status, reason) in [
        ("GET /ratings/x", 404, "no rating of x"),
        ("GET /ratings/Camera", 404, "no rating of Camera"),
        ("GET /ratings/a%2Fb", 404, "no rating of a/b"),
        ("GET /ratings", 404, "nothing at /ratings"),
        ("GET /ratings/", 404, "nothing at /ratings/"),
        ("GET /ratings/camera/x", 404, "nothing at /ratings/camera/x"),
        ("GET /", 404, "nothing at /"),
        ("POST /nowhere", 404, "nothing at /nowhere"),
        ("POST /ratings/camera", 405, "/ratings/camera does not take POST"),
        ("DELETE /ratings/x", 405, "/ratings/x does not take DELETE"),
        ("PUT /health", 405, "/health does not take PUT"),
    ] {
        let request = format!("{line} HTTP/1.1\r\nhost: ratings\r\nconnection: close\r\n\r\n");
        let answer = ask(ratings.address, request.as_bytes()).await;
        assert_eq!((answer.status, &answer.body["reason"]), (status, &json!(reason)), "{line}");
    }
}

#[tokio::test]
async fn a_refused_method_is_told_which_ones_are_taken() {
    let ratings = Running::alone().await;
    for path in ["/ratings/camera", "/health"] {
        let request = format!("POST {path} HTTP/1.1\r\nhost: ratings\r\nconnection: close\r\n\r\n");
        let answer = ask(ratings.address, request.as_bytes()).await;
        assert!(answer.head.contains("allow: GET"), "{path}: {}", answer.head);
    }
}
