//! What a request must be like.

use serde_json::json;

use crate::http::{ask, get, post};
use crate::support::House;

const GOOD: &str = r#"{"Item":"car","Condition":"good"}"#;
const NOT_JSON: &str = "Invalid payload - Not a valid JSON payload";
const INVALID: &str = "Bad Request - Invalid Payload";

#[tokio::test]
async fn the_payload_is_an_object_with_item_and_condition() {
    let (house, _bidders) = House::usual().await;
    let deep = "[".repeat(50_000);
    for (body, message) in [
        ("", NOT_JSON),
        ("car", NOT_JSON),
        (r#"{"Item":"car","Condition":"good""#, NOT_JSON),
        (r#"{"Item":"car","Condition":"good"} x"#, NOT_JSON),
        ("{'Item':'car','Condition':'good'}", NOT_JSON),
        (deep.as_str(), NOT_JSON),
        ("{}", INVALID),
        ("null", INVALID),
        ("[]", INVALID),
        (r#""car""#, INVALID),
        ("5", INVALID),
        (r#"[{"Item":"car","Condition":"good"}]"#, INVALID),
        (r#"{"Item":"car"}"#, INVALID),
        (r#"{"Condition":"good"}"#, INVALID),
        (r#"{"Item":null,"Condition":"good"}"#, INVALID),
        (r#"{"Item":"car","Condition":null}"#, INVALID),
        (r#"{"Item":5,"Condition":"good"}"#, INVALID),
        (r#"{"Item":"car","Condition":["good"]}"#, INVALID),
        (r#"{"Item":"","Condition":"good"}"#, INVALID),
        (r#"{"Item":"car","Condition":" "}"#, INVALID),
        (r#"{"item":"car","condition":"good"}"#, INVALID),
    ] {
        let answer = ask(house.auction, post("/auction/setAuction", "application/json", body)).await;
        let shown = &body[..body.len().min(60)];
        assert_eq!((answer.status, answer.body), (400, json!({ "Message": message })), "{shown}");
    }
    let more = r#"{"Item":"car","Condition":"good","Colour":"red","Bid":1}"#;
    let answer = ask(house.auction, post("/auction/setAuction", "application/json", more)).await;
    assert_eq!(answer.status, 200, "what else is in it is ignored");
    house.close().await;
}

#[tokio::test]
async fn the_content_type_is_json() {
    let (house, _bidders) = House::usual().await;
    for (content_type, status) in [
        ("application/json", 200),
        ("Application/JSON", 200),
        ("application/json; charset=utf-8", 200),
        ("application/json;charset=utf-8", 200),
        ("application/vnd.auction+json", 200),
        ("application/vnd.auction+json; v=1", 200),
        ("application/x-www-form-urlencoded", 415),
        ("text/plain", 415),
        ("text/json", 415),
        ("application/jsonp", 415),
        ("application/xml; x=application/json", 415),
        ("json", 415),
        ("+json", 415),
        ("", 415),
    ] {
        let answer = ask(house.auction, post("/auction/setAuction", content_type, GOOD)).await;
        assert_eq!(answer.status, status, "{content_type}");
        if status == 415 {
            assert_eq!(answer.message(), "the content type must be application/json");
        }
    }
    let without = post("/auction/setAuction", "", GOOD).replace("content-type: \r\n", "");
    assert_eq!(ask(house.auction, without).await.status, 415);
    house.close().await;
}

#[tokio::test]
async fn other_paths_and_methods_are_refused_with_the_reason() {
    let (house, _bidders) = House::usual().await;
    for (line, status, message, allow) in [
        ("GET /", 404, "nothing at /", None),
        ("POST /auction", 404, "nothing at /auction", None),
        ("POST /auction/setAuction/", 404, "nothing at /auction/setAuction/", None),
        ("POST /auction/setauction", 404, "nothing at /auction/setauction", None),
        ("GET /auction/setAuction", 405, "/auction/setAuction does not take GET", Some("POST")),
        ("PUT /auction/setAuction", 405, "/auction/setAuction does not take PUT", Some("POST")),
        ("DELETE /health", 405, "/health does not take DELETE", Some("GET,HEAD")),
    ] {
        let answer = ask(house.auction, format!("{line} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")).await;
        assert_eq!((answer.status, answer.message()), (status, message), "{line}");
        assert_eq!(answer.header("allow"), allow, "{line}");
    }
    assert_eq!(ask(house.auction, get("/health")).await.body, json!({ "status": "ok" }));
    house.close().await;
}

#[tokio::test]
async fn a_body_that_is_too_large_is_refused() {
    let (house, _bidders) = House::usual().await;
    for (length, status) in [(60_000, 200), (66_000, 413), (10_000_000, 413)] {
        let body = json!({ "Item": "x".repeat(length), "Condition": "good" }).to_string();
        let answer = ask(house.auction, post("/auction/setAuction", "application/json", &body)).await;
        assert_eq!(answer.status, status, "{length}");
    }
    house.close().await;
}

#[tokio::test]
async fn parameters_that_are_wrong_are_named() {
    let (house, _bidders) = House::usual().await;
    for (query, message) in [
        ("?x=1", "x: no such parameter; there are detail, deadline_ms, first and quorum"),
        ("?detail=yes", "detail: neither true nor false"),
        ("?deadline_ms=0", "deadline_ms: not a whole number from 1 to 10000"),
        ("?deadline_ms=5&deadline_ms=5", "deadline_ms: given twice"),
        ("?first=1&quorum=1", "quorum: there is one of first and quorum, once"),
        ("?quorum=all", "quorum: not a whole number from 1 to 1000"),
    ] {
        let answer = house.auction("good", query).await;
        assert_eq!((answer.status, answer.body), (400, json!({ "Message": message })), "{query}");
    }
    for query in ["?", "?detail=false&deadline_ms=10000&first=1000", "?quorum=majority", "?%64etail=true"] {
        assert_eq!(house.auction("good", query).await.status, 200, "{query}");
    }
    house.close().await;
}
