//! The auction's page and its form, over real HTTP.

use std::future::pending;
use std::time::Duration;

use axum::Router;
use axum::http::StatusCode;
use axum::response::Json;
use axum::routing::{get, post};
use futures_util::future::join_all;
use mainstay::contracts::bidding::Bidding;
use mainstay::{Address, Lease, Registration};
use market_web::Config;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::time::{sleep, timeout};

use crate::site::{Answer, FORM, Site};

async fn sell(site: &Site, body: &str) -> Answer {
    site.ask("POST", "/auction", FORM, body).await
}

#[tokio::test]
async fn the_page_runs_nothing_until_it_is_told() {
    let site = Site::open().await;
    let page = site.ask("GET", "/auction", "", "").await;
    assert_eq!(page.status, 200);
    for holds in
        ["No auction has been run from this page yet", "Run auction", "value=\"car\"", "aria-current=\"page\">Auction"]
    {
        assert!(page.text.contains(holds), "no {holds} in {}", page.text);
    }
    assert!(site.ask("GET", "/?still", "", "").await.text.contains("href=\"/auction\""), "the shop links to it");
    assert_eq!(site.ask("HEAD", "/auction", "", "").await.status, 200);
    let state = site.ask("GET", "/api/state", "", "").await.text;
    assert!(state.contains(r#""bidders":[]"#) && state.contains(r#""auction":null"#), "{state}");
}

#[tokio::test]
async fn a_form_that_asks_for_no_auction_says_why_and_runs_none() {
    let site = Site::open().await;
    let json = "content-type: application/json\r\n";
    let long = format!("item={}&condition=good", "x".repeat(101));
    for (method, headers, body, status, holds) in [
        ("POST", FORM, "", 400, "The form could not be read: missing field `item`"),
        ("POST", FORM, "item=car", 400, "missing field `condition`"),
        ("POST", FORM, "item=&condition=good", 400, "The item is missing."),
        ("POST", FORM, "item=car&condition=++", 400, "The condition is missing."),
        ("POST", FORM, long.as_str(), 400, "The item has more than 100 characters."),
        ("POST", FORM, "item=car%0AOPEN&condition=good", 400, "The item is not one line of text."),
        ("POST", FORM, "item=car&condition=good&deadline_ms=99", 400, "The deadline is from 100 to 10000 ms."),
        ("POST", FORM, "item=car&condition=good&deadline_ms=10001", 400, "The deadline is from 100 to 10000 ms."),
        ("POST", FORM, "item=car&condition=good&deadline_ms=soon", 400, "The deadline is from 100 to 10000 ms."),
        ("POST", FORM, "item=car&condition=good&complete=never", 400, "does not say when the auction ends"),
        ("POST", FORM, "item=car&condition=good&colour=red", 400, "unknown field"),
        ("POST", FORM, "item=car&item=van&condition=good", 400, "duplicate field"),
        ("POST", FORM, "item=%3Cscript%3E&condition=", 400, "value=\"&#60;script&#62;\""),
        ("POST", "", "item=car&condition=good", 415, "the auction takes forms"),
        ("POST", json, r#"{"Item":"car"}"#, 415, "the auction takes forms"),
        ("PUT", "", "", 405, "allow: GET,HEAD,POST"),
        ("DELETE", "", "", 405, "allow: GET,HEAD,POST"),
    ] {
        let answer = site.ask(method, "/auction", headers, body).await;
        assert_eq!(answer.status, status, "{method} {body}: {}", answer.text);
        assert!(answer.text.contains(holds), "{method} {body} does not hold {holds}: {}", answer.text);
        assert!(!answer.text.contains("<script>"), "{body}: what was sent comes back as it is");
    }
    assert!(site.ask("GET", "/api/state", "", "").await.text.contains(r#""auction":null"#));
}

#[tokio::test]
async fn the_plain_shop_has_no_auction() {
    let site = Site::plain().await;
    for (method, headers) in [("GET", ""), ("POST", FORM)] {
        let page = site.ask(method, "/auction", headers, "item=car&condition=good").await;
        assert_eq!(page.status, 404);
        assert!(page.text.contains("the plain shop has no auction") && page.text.contains("href=\"/\""));
    }
    assert!(!site.ask("GET", "/", "", "").await.text.contains("/auction"), "and links to none");
}

#[tokio::test]
async fn without_a_registry_an_auction_ends_in_time_and_the_page_says_why() {
    let site = Site::open().await;
    let sold = sell(&site, "item=old+van&condition=bad&deadline_ms=100&complete=majority").await;
    assert_eq!((sold.status, sold.header("location")), (303, "/auction"));
    let page = site.ask("GET", "/auction", "", "").await.text;
    for holds in ["There was nobody to ask", "No bidder is known: the registry at", "old van", "value=\"100\""] {
        assert!(page.contains(holds), "no {holds} in {page}");
    }
    assert!(page.contains(r#"value="majority" selected"#), "the form stays as it was: {page}");
}

/// A Market whose registry takes connections and says nothing, so that an auction waits for it until its deadline.
async fn waiting() -> (Site, TcpListener) {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let registry = Some(Address::from(silent.local_addr().unwrap()));
    (Site::run(Config { registry, ..Config::default() }).await, silent)
}

/// With time paused, ten seconds are over at once.
#[tokio::test(start_paused = true)]
async fn the_longest_auction_is_waited_for() {
    let (site, _silent) = waiting().await;
    assert_eq!(sell(&site, "item=car&condition=good&deadline_ms=10000").await.status, 303);
}

#[tokio::test]
async fn at_most_32_auctions_are_under_way() {
    let (site, _silent) = waiting().await;
    let all = join_all((0..33).map(|_| sell(&site, "item=car&condition=good"))).await;
    let mut statuses: Vec<_> = all.iter().map(|answer| answer.status).collect();
    statuses.sort_unstable();
    assert_eq!((statuses[31], statuses[32]), (303, 503), "{statuses:?}");
    assert_eq!(sell(&site, "item=car&condition=good&deadline_ms=100").await.status, 303, "and then there is room");
}

#[tokio::test]
async fn what_a_bidder_says_is_shown_and_never_believed() {
    let registry = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = Address::from(registry.local_addr().unwrap());
    tokio::spawn(mainstay_registry::run(mainstay_registry::Config::default(), registry, pending()));
    let hostile = json!({ "reason": "<script>alert(1)</script> \" onload=\"x\n\u{202e}" });
    let declines = bidder(1, &address, StatusCode::NOT_FOUND, hostile).await;
    let lies = json!({ "Bidder Name": "<b>Bidder 9</b>", "Bid": 7 });
    let bids = bidder(2, &address, StatusCode::OK, lies).await;

    let site = Site::run(Config { registry: Some(address), ..Config::default() }).await;
    let known = async {
        while site.ask("GET", "/api/state", "", "").await.text.matches(r#""registry":"up""#).count() < 2 {
            sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(Duration::from_secs(10), known).await.expect("the bidders are known");
    assert_eq!(sell(&site, "item=%3Ci%3Ecar%3C%2Fi%3E&condition=good").await.status, 303);

    let page = site.ask("GET", "/auction", "", "").await.text;
    for holds in [
        r#"data-bidder="1" data-outcome="declined""#,
        "declined: &#60;script&#62;alert(1)&#60;/script&#62; &#34; onload=&#34;x",
        r#"data-bidder="2" data-outcome="bid" data-won"#,
        r#"data-winner="2""#,
        "Bidder 2 wins with",
        "&#60;i&#62;car&#60;/i&#62;",
        "1 of 2 within 1000 ms",
    ] {
        assert!(page.contains(holds), "no {holds} in {page}");
    }
    assert!(!page.contains("alert(1)</script>") && !page.contains("Bidder 9") && !page.contains("<i>"), "{page}");
    drop((declines, bids));
}

/// A bidder that answers every question with this.
async fn bidder(number: u32, registry: &Address, status: StatusCode, answer: serde_json::Value) -> Lease {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = Address::from(listener.local_addr().unwrap());
    let answers = move || std::future::ready((status, Json(answer.clone())));
    let router = Router::new().route("/", post(answers)).route("/health", get(async || StatusCode::OK));
    tokio::spawn(async move { axum::serve(listener, router).await });
    let id = format!("bidder{number}").parse().unwrap();
    Registration::new::<Bidding>(id, address).number(number).registry(registry.clone()).start()
}
