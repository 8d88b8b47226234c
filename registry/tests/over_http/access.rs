//! Who is answered.

#![expect(clippy::unwrap_used, reason = "what helps a test fails as a test does")]

use std::path::PathBuf;
use std::time::Duration;

use mainstay_contracts::registry::{HoldFrame, ServiceNames, WatchFrame};
use mainstay_registry::{Access, Config, Rights, Token};
use tempfile::TempDir;

use crate::client::Running;

struct Guarded {
    registry: Running,
    market: Token,
    ratings: Token,
    path: PathBuf,
    _dir: TempDir,
}

fn rights(read: &[&str], register: &[&str]) -> Rights {
    let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    Rights { read: owned(read), register: owned(register) }
}

fn bearer(token: &Token) -> String {
    format!("authorization: Bearer {}", token.reveal())
}

async fn guarded() -> Guarded {
    let dir = TempDir::new().unwrap();
    let path: PathBuf = dir.path().join("tokens.json");
    let (market, ratings) = (Token::new().unwrap(), Token::new().unwrap());
    market.add(&path, "market", rights(&[""], &[])).unwrap();
    ratings.add(&path, "ratings", rights(&[], &["ratings"])).unwrap();
    let access = Some(Access::load(&path).unwrap());
    let bookmark_every = Duration::from_millis(200);
    let registry = Running::start(Config { access, bookmark_every, ..Config::default() }).await;
    Guarded { registry, market, ratings, path, _dir: dir }
}

const INSTANCE: &str = "/v1/services/ratings/instances/r1";
const ADDRESS: &str = r#"{"address":"127.0.0.1:1"}"#;

#[tokio::test]
async fn without_a_token_nobody_is_told_anything_but_that_it_is_well() {
    let Guarded { registry, .. } = guarded().await;
    for (method, path) in [("GET", "/v1/services/ratings"), ("PUT", INSTANCE), ("GET", "/"), ("GET", "/nonsense")] {
        let answer = registry.ask(method, path, ADDRESS).await;
        assert_eq!(answer.status, 401, "{method} {path}: {answer:?}");
        assert!(answer.reason().ends_with("show a token: Authorization: Bearer TOKEN"), "{answer:?}");
        assert!(answer.head.contains("www-authenticate: bearer"), "{answer:?}");
    }
    assert_eq!(registry.ask("GET", "/health", "").await.status, 200);
    registry.stop().await;
}

#[tokio::test]
async fn a_token_is_good_for_what_it_is_for() {
    let Guarded { registry, market, ratings, path: _, _dir } = guarded().await;
    let (market, ratings) = (bearer(&market), bearer(&ratings));
    for (token, method, path, expected) in [
        (&ratings, "PUT", INSTANCE, 200),
        (&ratings, "POST", "/v1/services/ratings/instances/r1/beat", 200),
        (&ratings, "GET", "/v1/services/ratings", 200),
        (&ratings, "PUT", "/v1/services/bidders/instances/b1", 403),
        (&ratings, "GET", "/v1/services", 200),
        (&ratings, "GET", "/v1/prometheus?service=bidders", 403),
        (&ratings, "GET", "/v1/overview", 403),
        (&market, "GET", "/v1/services", 200),
        (&market, "GET", "/v1/services/bidders", 200),
        (&market, "DELETE", INSTANCE, 403),
        (&market, "POST", "/v1/services/ratings/release", 403),
        (&market, "POST", "/v1/leases/some/beat", 403),
        (&"authorization: Bearer mst_other".to_owned(), "GET", "/v1/services", 401),
        (&"authorization: Basic eDp5".to_owned(), "GET", "/v1/services", 401),
    ] {
        let body = if method == "GET" || method == "DELETE" { "" } else { ADDRESS };
        let body = if path.ends_with("/beat") || path.ends_with("/release") { "" } else { body };
        let answer = registry.ask_with(method, path, &[token], body).await;
        assert_eq!(answer.status, expected, "{method} {path}: {answer:?}");
    }
    let reason = registry.ask_with("DELETE", INSTANCE, &[&market], "").await.reason();
    assert_eq!(reason, "you may not register ratings");
    registry.stop().await;
}

#[tokio::test]
async fn lists_have_what_may_be_read() {
    let Guarded { registry, market, ratings, path, _dir } = guarded().await;
    let bidders = Token::new().unwrap();
    bidders.add(&path, "bidders", rights(&[], &["bidders"])).unwrap();
    let registry = {
        registry.stop().await;
        let access = Some(Access::load(&path).unwrap());
        Running::start(Config { access, ..Config::default() }).await
    };
    let (market, ratings, bidders) = (bearer(&market), bearer(&ratings), bearer(&bidders));
    for (token, path) in [(&ratings, INSTANCE), (&bidders, "/v1/services/bidders/instances/b1")] {
        assert_eq!(registry.ask_with("PUT", path, &[token], ADDRESS).await.status, 200);
    }
    for (token, expected) in
        [(&ratings, &["ratings"][..]), (&bidders, &["bidders"]), (&market, &["bidders", "ratings"])]
    {
        let answer = registry.ask_with("GET", "/v1/services", &[token], "").await;
        let names: ServiceNames = serde_json::from_str(&answer.body).unwrap();
        assert_eq!(names.services.keys().collect::<Vec<_>>(), expected);
        let targets = registry.ask_with("GET", "/v1/prometheus", &[token], "").await.body;
        for service in ["bidders", "ratings"] {
            let label = format!(r#""__meta_mainstay_service":"{service}""#);
            assert_eq!(targets.contains(&label), expected.contains(&service), "{targets}");
        }
    }
    registry.stop().await;
}

#[tokio::test]
async fn what_goes_on_ends_when_its_token_is_withdrawn_and_nobody_is_gone_by_that() {
    let Guarded { registry, market, ratings, path, _dir } = guarded().await;
    let [of_market, of_ratings] = [&market, &ratings].map(bearer);
    let start = async |method: &str, path: &str, token: &str| {
        let body = if path.ends_with("r2/hold") { r#"{"address":"127.0.0.1:2"}"# } else { "" };
        registry.start_stream_with(method, path, &[token], body).await.1
    };
    let mut held = start("POST", "/v1/leases/process/hold", &of_ratings).await;
    let body = r#"{"address":"127.0.0.1:1","lease":"process"}"#;
    assert_eq!(registry.ask_with("PUT", INSTANCE, &[&of_ratings], body).await.status, 200);
    let mut own = start("POST", "/v1/services/ratings/instances/r2/hold", &of_ratings).await;
    let mut watch = start("GET", "/v1/services/ratings/watch", &of_ratings).await;
    let mut others = start("GET", "/v1/services/ratings/watch", &of_market).await;
    let waiting = async { registry.ask_with("GET", "/v1/health/service/ratings?index=1000", &[&of_ratings], "").await };
    let withdrawn = async {
        // One name has one token.
        Token::new().unwrap().add(&path, "ratings", rights(&[], &["ratings"])).unwrap();
        while watch.next::<WatchFrame>().await.is_some() {}
        while held.next::<HoldFrame>().await.is_some() {}
        while own.next::<HoldFrame>().await.is_some() {}
    };
    let (answer, ()) = tokio::join!(waiting, withdrawn);
    assert_eq!((answer.status, answer.reason().as_str()), (401, "this token is none of those that are known"));
    let listed = registry.ask_with("GET", "/v1/services/ratings", &[&of_market], "").await.body;
    assert!(listed.contains(r#""r1""#) && listed.contains(r#""r2""#), "they have their leases' time: {listed}");

    assert!(others.next::<WatchFrame>().await.is_some(), "somebody else's goes on");
    let listing = async { registry.ask_with("GET", "/v1/catalog/services?index=1000", &[&of_market], "").await };
    let cut = async {
        market.add(&path, "market", rights(&["bidders"], &[])).unwrap();
        while others.next::<WatchFrame>().await.is_some() {}
    };
    let (answer, ()) = tokio::join!(listing, cut);
    let reason = "what you may read has changed meanwhile: ask again";
    assert_eq!((answer.status, answer.reason().as_str()), (503, reason), "a list of what might be read before");
    assert_eq!(registry.ask_with("GET", "/v1/services/ratings", &[&of_market], "").await.status, 403);
    registry.stop().await;
}

#[tokio::test]
async fn a_page_of_another_site_changes_nothing() {
    let registry = Running::start(Config::default()).await;
    let answer = registry.ask_with("PUT", INSTANCE, &["sec-fetch-site: cross-site"], ADDRESS).await;
    assert_eq!((answer.status, answer.reason().as_str()), (403, "a page of another site has no business here"));
    // A name that was made to mean this machine is its own site.
    for (origin, status) in [("http://evil.example:8500", 403), ("null", 403), ("http://127.0.0.1:8500", 200)] {
        let answer = registry.ask_with("PUT", INSTANCE, &[&format!("origin: {origin}")], ADDRESS).await;
        assert_eq!(answer.status, status, "{origin}");
    }
    assert_eq!(registry.ask_with("PUT", INSTANCE, &["sec-fetch-site: same-origin"], ADDRESS).await.status, 200);
    registry.stop().await;
}
