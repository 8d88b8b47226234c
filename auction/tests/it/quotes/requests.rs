//! What can be said to the service, and what it says to what cannot.

use std::time::Duration;

use super::exchange::Exchange;
use crate::http::{ask, get, post};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_wrong_with_a_request_is_said() {
    let exchange = Exchange::open().await;
    let quotes = exchange.quotes(Duration::from_secs(60)).await;
    let good = r#"{"from":"Frankfurt","to":"Las Vegas","customer":"cmr"}"#;
    let long = format!(r#"{{"from":"{}","to":"b","customer":"c"}}"#, "x".repeat(10 * 1024 * 1024));
    let post = |kind, body: &str| post("/submit-instant-ride-rfq", kind, body);
    let json = "application/json";
    for (request, status, why) in [
        (post(json, "{}"), 400, "from is missing"),
        (post(json, "ride"), 400, "not JSON"),
        (post(json, ""), 400, "not JSON"),
        (post(json, r#"{"from":"a","customer":"c"}"#), 400, "to is missing"),
        (post(json, r#"{"from":"a","to":5,"customer":"c"}"#), 400, "to is not a text"),
        (post(json, r#"{"from":"a","to":"b","customer":" "}"#), 400, "customer is blank"),
        (post(json, &long), 413, "65536 bytes at most"),
        (post("text/plain", good), 415, "application/json"),
        (post("application/x-www-form-urlencoded", good), 415, "application/json"),
        (post("application/json; charset=utf-8", good), 201, ""),
        (post("application/vnd.ride+json", good), 201, ""),
        (get("/query-instant-ride-rfq/0193a1b2-0000-7000-8000-000000000000"), 404, "no request of id \\\"0193a1b2-"),
        (get("/query-instant-ride-rfq/7"), 404, "no request of id \\\"7\\\""),
        (get("/query-instant-ride-rfq/%00%ff"), 400, ""),
        (get("/query-instant-ride-rfq/7/events"), 404, "no request of id"),
        (get("/query-instant-ride-rfq/"), 404, "nothing at"),
        (get("/submit-instant-ride-rfq"), 405, "does not take GET"),
        (get("/quotes?most=0"), 400, "from 1 to 100"),
        (get("/quotes?most=101"), 400, "from 1 to 100"),
        (get("/quotes?most=x"), 400, "invalid digit"),
        (get("/else"), 404, "nothing at /else"),
        (get("/health"), 200, "ok"),
    ] {
        let answer = ask(quotes.address, &request).await;
        let head: String = request.chars().take(120).collect();
        assert_eq!(answer.status, status, "{head}: {answer:?}");
        assert!(answer.text.contains(why), "{head}: {answer:?} does not say {why:?}");
        assert!(status < 400 || answer.body["reason"].is_string(), "{head}: {answer:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_id_that_a_client_sends_is_ignored() {
    let exchange = Exchange::open().await;
    let quotes = exchange.quotes(Duration::from_secs(60)).await;
    let mine = "0193a1b2-0000-7000-8000-000000000000";
    let body = format!(r#"{{"rfq-id":"{mine}","id":"{mine}","from":"a","to":"b","customer":"c"}}"#);
    let first = quotes.post(&body).await.body["rfq-id"].as_str().unwrap().to_owned();
    let second = quotes.post(&body).await.body["rfq-id"].as_str().unwrap().to_owned();
    assert!(first != mine && second != mine && first != second, "{first}, {second}");
    assert_eq!(quotes.query(mine).await.status, 404);
    assert_eq!(quotes.query(&first.to_uppercase()).await.status, 200);
}
