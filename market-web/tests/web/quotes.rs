//! The page of requests for quotes and its form, over real HTTP.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::Router;
use mainstay::Call as _;
use mainstay::contracts::quotes::{
    List, Providers, Quoted, Quotes, RfqState, RfqView, Submit, Submitted, provider_name,
};
use mainstay::serve;

use crate::services::Town;
use crate::site::{Answer, FORM, Site};

const RIDE: &str = "from=Frankfurt&to=Las+Vegas&customer=cmr";

async fn ask(site: &Site, body: &str) -> Answer {
    site.ask("POST", "/quotes", FORM, body).await
}

fn rfq(state: RfqState, quotes: &[(u32, u32)]) -> RfqView {
    let quoted = |(number, quote): &(u32, u32)| Quoted { responder: provider_name(*number), quote: *quote };
    RfqView {
        id: "7".to_owned(),
        from: "<b>Frankfurt</b>".to_owned(),
        to: "Las Vegas\nOPEN".to_owned(),
        customer: "cmr".to_owned(),
        state,
        asked: 10,
        answered: quotes.len(),
        closes_in_ms: 11_900,
        best: quotes.iter().min_by_key(|(_, quote)| *quote).map(quoted),
        quotes: quotes.iter().map(quoted).collect(),
    }
}

#[tokio::test]
async fn the_page_asks_nobody_until_it_is_told() {
    let site = Site::open().await;
    let page = site.ask("GET", "/quotes", "", "").await;
    assert_eq!(page.status, 200);
    for holds in ["No quotes service is registered", "Ask for quotes", "value=\"Frankfurt\"", "\"page\">Quotes"] {
        assert!(page.text.contains(holds), "no {holds} in {}", page.text);
    }
    let state = site.ask("GET", "/api/state", "", "").await.text;
    assert!(state.contains(r#""quotes":[]"#) && state.contains(r#""providers":[]"#), "{state}");
}

#[tokio::test]
async fn a_form_that_asks_for_nothing_says_why() {
    let site = Site::open().await;
    let long = format!("{RIDE}{}", "x".repeat(100));
    for (method, headers, body, status, holds) in [
        ("POST", FORM, "", 400, "The form could not be read: missing field `from`"),
        ("POST", FORM, "from=a&to=b", 400, "missing field `customer`"),
        ("POST", FORM, "from=&to=b&customer=c", 400, "Where the ride begins is missing."),
        ("POST", FORM, "from=a&to=+&customer=c", 400, "Where it ends is missing."),
        ("POST", FORM, long.as_str(), 400, "The customer has more than 100 characters."),
        ("POST", FORM, "from=a%0AOPEN&to=b&customer=c", 400, "Where the ride begins is not one line of text."),
        ("POST", FORM, "from=%3Cscript%3E&to=&customer=c", 400, "value=\"&#60;script&#62;\""),
        ("POST", FORM, "from=a&to=b&customer=c&rfq-id=1", 400, "unknown field"),
        ("POST", FORM, RIDE, 503, "Nobody was asked: "),
        ("POST", "", RIDE, 415, "this address takes forms"),
        ("PUT", "", "", 405, "allow: GET,HEAD,POST"),
    ] {
        let answer = site.ask(method, "/quotes", headers, body).await;
        assert_eq!(answer.status, status, "{method} {body}: {}", answer.text);
        assert!(answer.text.contains(holds), "{method} {body} does not hold {holds}: {}", answer.text);
    }
    let plain = Site::plain().await.ask("GET", "/quotes", "", "").await;
    assert_eq!((plain.status, plain.text.contains("the plain shop has no quotes")), (404, true));
}

#[tokio::test]
async fn quotes_are_shown_as_they_come_and_told_when_they_are_complete() {
    let over = Arc::new(AtomicBool::new(false));
    let is_over = Arc::clone(&over);
    let list = move |_: List| {
        let state = if is_over.load(Ordering::Relaxed) { RfqState::Complete } else { RfqState::Open };
        std::future::ready(Ok(vec![rfq(state, &[(1, 16), (2, 12)])]))
    };
    let submit = async |ride: Submit| {
        assert_eq!(ride, Submit::new("Frankfurt", "Las Vegas", "cmr"));
        Ok(Submitted { rfq_id: "7".to_owned() })
    };
    let quotes = Router::new().route(Submit::ROUTE, serve::call(submit)).route(List::ROUTE, serve::call(list));
    let town = Town::found().await.with::<Quotes>("quotes-1", 1, quotes).await;
    let town = town.with::<Providers>(&provider_name(2), 2, Router::new()).await;

    let asked = ask(&town.site, RIDE).await;
    assert_eq!((asked.status, asked.header("location")), (303, "/quotes"), "{}", asked.text);
    let page = town.site.ask("GET", "/quotes", "", "").await.text;
    for holds in [
        r#"data-rfq="7" data-state="open" data-answered="2""#,
        "UnicornManagementResource2 is best so far, with",
        "2 of 10 providers answered · closes in 12 s",
        r#"data-best="12""#,
        "&#60;b&#62;Frankfurt&#60;/b&#62;",
        r#"<tr data-key="providers 2 "#,
        r#"data-done="1""#,
        r#"data-service="quotes""#,
    ] {
        assert!(page.contains(holds), "no {holds} in {page}");
    }
    over.store(true, Ordering::Relaxed);
    let page = town.site.ask("GET", "/quotes", "", "").await.text;
    assert!(page.contains("is best, with") && page.contains("2 of 10 providers answered · complete"), "{page}");
}
