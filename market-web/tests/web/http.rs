//! Every address of the Market, over real HTTP: what is asked rightly, and everything that is not.

use crate::site::{Site, form};

#[tokio::test]
async fn what_is_asked_rightly_is_answered() {
    let site = Site::open().await;
    for (method, target, status, holds) in [
        ("GET", "/", 200, "no rating yet"),
        ("GET", "/", 200, "$99.99"),
        ("GET", "/?still", 200, "data-thing=\"camera\""),
        ("HEAD", "/?still", 200, "content-type: text/html"),
        ("GET", "/?json=true", 200, r#"{"thingIDs":["basketball","briefcase","camera","football"]}"#),
        ("GET", "/thing/camera", 200, r#""price":"$99.99","price_cents":9999,"rating":null"#),
        ("GET", "/api/state", 200, r#""reason":"all services are down""#),
        ("POST", "/api/refresh", 200, r#""last_page":{"calls":4,"#),
        ("GET", "/assets/market.css", 200, "etag: \""),
        ("GET", "/assets/market.js", 200, "text/javascript"),
        ("GET", "/assets/icon.svg", 200, "image/svg+xml"),
    ] {
        let answer = site.ask(method, target, "", "").await;
        assert_eq!(answer.status, status, "{method} {target}: {}", answer.text);
        assert!(answer.text.contains(holds), "{method} {target} does not hold {holds}: {}", answer.text);
        assert!(answer.text.contains("content-security-policy: default-src 'self'"), "{method} {target}");
    }
}

#[tokio::test]
async fn what_is_asked_wrongly_is_refused_with_the_reason() {
    let site = Site::open().await;
    let form = "content-type: application/x-www-form-urlencoded\r\n";
    let json = "content-type: application/json\r\n";
    for (method, target, headers, body, status, holds) in [
        ("GET", "/nowhere", "", "", 404, "href=\"/\""),
        ("GET", "/nowhere", "accept: application/json\r\n", "", 404, r#"{"reason":"there is nothing"#),
        ("GET", "/api/nowhere", "", "", 404, r#"{"reason":"there is nothing"#),
        ("GET", "/assets/..%2fCargo.toml", "", "", 404, "there is nothing"),
        ("GET", "/thing/x", "", "", 404, r#"{"reason":"no such Thing: x"}"#),
        ("GET", "/thing/%ff", "", "", 400, r#"{"reason":"#),
        ("GET", "/thing/%3Cscript%3E", "accept: text/html\r\n", "", 404, "application/json"),
        ("PUT", "/", "", "", 405, "allow: GET,HEAD,POST"),
        ("GET", "/cart", "", "", 405, "allow: POST"),
        ("POST", "/thing/camera", "", "", 405, "allow: GET,HEAD"),
        ("DELETE", "/api/state", "", "", 405, "allow: GET,HEAD"),
        ("GET", "/api/refresh", "", "", 405, r#"{"reason":"#),
        ("POST", "/events", "", "", 405, "allow: GET,HEAD"),
        ("BREW", "/", "", "", 405, "allow: "),
        ("POST", "/", "", "camera=x&addCart=1", 415, "the cart takes forms"),
        ("POST", "/", json, "{}", 415, "the cart takes forms"),
        ("POST", "/", form, "", 400, "must say one of"),
        ("POST", "/cart", form, "camera=x", 400, "must say one of"),
        ("POST", "/cart", form, "addCart=1", 400, "names no thing"),
        ("POST", "/cart", form, "camera=x&football=x&addCart=1", 400, "more than one thing"),
        ("POST", "/cart", form, "%ff%fe=%zz&addCart=1", 404, "no such Thing"),
        ("POST", "/cart", form, "%3Cscript%3E=x&addCart=1", 404, "script"),
        ("POST", "/cart", form, "zebra=x&addCart=1", 404, "no such Thing: zebra"),
        ("POST", "/cart", form, "zebra=x&removeCart=1", 404, "no such Thing: zebra"),
        ("POST", "/cart", form, "camera=x&removeCart=1", 409, "could not be removed"),
        ("POST", "/cart", form, "checkout=Checkout", 409, "nothing to check out"),
        ("POST", "/lab/ratings/start", "", "", 404, r#"{"reason":"lab is only in demo"}"#),
    ] {
        let answer = site.ask(method, target, headers, body).await;
        assert_eq!(answer.status, status, "{method} {target} {body}: {}", answer.text);
        assert!(answer.text.contains(holds), "{method} {target} {body} does not hold {holds}: {}", answer.text);
        let page = answer.header("content-type").starts_with("text/html");
        assert!(!page || !answer.text.contains("<script>"), "{method} {target}: what was sent comes back as it is");
    }
    assert_eq!(site.ask("GET", "/?still", "", "").await.status, 200, "the Market lives on");
}

#[tokio::test]
async fn a_body_of_ten_megabytes_is_refused_everywhere_and_the_reason_is_read() {
    let site = Site::open().await;
    let body = "x".repeat(10_000_000);
    for (method, target) in [("POST", "/"), ("POST", "/api/refresh"), ("PUT", "/"), ("POST", "/nowhere")] {
        let answer = site.ask(method, target, "accept: application/json\r\n", &body).await;
        assert_eq!(answer.status, 413, "{method} {target}");
        assert!(answer.text.contains("65536 bytes at most"), "{method} {target}: {}", answer.text);
    }
}

#[tokio::test]
async fn what_is_not_http_is_refused() {
    let site = Site::open().await;
    let long = format!("GET /{} HTTP/1.1\r\nhost: x\r\n\r\n", "x".repeat(70_000));
    for (sent, status) in [
        ("nonsense\r\n\r\n", 400),
        ("GET / HTTP/9.9\r\n\r\n", 400),
        ("POST / HTTP/1.1\r\nhost: x\r\ncontent-length: -1\r\n\r\n", 400),
        (long.as_str(), 414),
    ] {
        assert_eq!(site.send(sent.as_bytes()).await.status, status, "{:.40}", sent);
    }
}

/// With time paused, patience ends at once.
#[tokio::test(start_paused = true)]
async fn half_a_request_is_not_waited_for() {
    let site = Site::open().await;
    let head = site.send(b"GET / HTTP/1.1\r\nhost: x\r\n").await;
    assert!(matches!(head.status, 0 | 408), "the connection is closed: {}", head.text);
    let body = site.send(b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\ncamera=x").await;
    assert_eq!(body.status, 408, "{}", body.text);
}

#[tokio::test]
async fn a_cart_is_the_browsers_own_and_survives_a_reload() {
    let site = Site::open().await;
    let added = form(&site, "", "basketball=x&addCart=1").await;
    assert!(added.text.contains("Item added successfully!"));
    let cookie = added.cookie();
    let added = form(&site, &cookie, "camera=x&addCart=1").await;
    let cookie = added.cookie();
    assert!(added.text.contains("data-total=\"$119.98\""), "{}", added.text);

    let again = form(&site, &cookie, "camera=x&addCart=1").await;
    assert_eq!(again.status, 409);
    assert!(again.text.contains("Item could not be added.") && again.text.contains("data-total=\"$119.98\""));

    let reloaded = site.ask("GET", "/", &cookie, "").await;
    assert!(reloaded.text.contains("data-total=\"$119.98\""));
    let other = site.ask("GET", "/", "", "").await;
    assert!(!other.text.contains("data-total"), "another browser's cart is empty");

    let bought = form(&site, &cookie, "checkout=Checkout").await;
    assert!(bought.text.contains("Successfully checked out your items!"));
    assert!(!bought.text.contains("value=\"Checkout\""), "an empty cart has no checkout");
    assert_eq!(bought.cookie(), "cookie: cart=\r\n");
}

#[tokio::test]
async fn the_plain_shop_knows_of_no_ratings() {
    let site = Site::plain().await;
    let page = site.ask("GET", "/", "", "").await.text;
    assert!(page.contains("$99.99") && !page.contains("rating"), "{page}");
    let state = site.ask("POST", "/api/refresh", "", "").await.text;
    assert!(state.contains(r#""registry":null,"last_page":{"calls":0,"#), "{state}");
}

#[tokio::test]
async fn an_asset_is_sent_once() {
    let site = Site::open().await;
    let first = site.ask("GET", "/assets/market.css", "", "").await;
    let tag = first.header("etag");
    let second = site.ask("GET", "/assets/market.css", &format!("if-none-match: {tag}\r\n"), "").await;
    assert_eq!(second.status, 304);
}
