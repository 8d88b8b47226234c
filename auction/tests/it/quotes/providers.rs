//! Who is asked, and what survives of whom.

use std::time::Duration;

use auction::provider::{self, Provider};
use mainstay::contracts::quotes::{Rfq, RfqState, provider_name};
use tokio::time::{Instant, sleep};

use super::exchange::{Exchange, prompt, silent};
use crate::http::{ask, get};
use crate::support::free_port;

const MINUTE: Duration = Duration::from_secs(60);

/// Whoever always takes so long.
fn slow(number: u32, delay: Duration) -> Provider {
    let mut provider = prompt(number);
    provider.manner.delay = delay..=delay;
    provider
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_joins_is_asked_by_the_next_request() {
    let exchange = Exchange::open().await;
    let _usual = exchange.providers([1, 2].map(prompt)).await;
    let quotes = exchange.quotes(MINUTE).await;
    let id = quotes.submit().await;
    quotes.until(&id, "it is complete", |view| (view.asked, view.state) == (2, RfqState::Complete)).await;

    let _eleventh = exchange.providers([silent(11)]).await;
    // The service hears of it as soon as we do, or a little later.
    let mut answered = Vec::new();
    while answered.len() < 3 {
        let id = quotes.submit().await;
        answered = quotes.until(&id, "it is complete", |view| view.state == RfqState::Complete).await.quotes;
    }
    // Number 11 has a way of its own, and is not to be told to be silent.
    assert_eq!((answered[2].responder.as_str(), answered[2].quote), ("UnicornManagementResource11", 17));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_provider_that_dies_before_it_has_answered_is_asked_again_and_decides_the_same() {
    let exchange = Exchange::open().await;
    let delay = Duration::from_secs(2);
    let providers = exchange.providers([slow(1, delay)]).await;
    let quotes = exchange.quotes(MINUTE).await;
    let (begun, id) = (Instant::now(), quotes.submit().await);
    let rfq = Rfq { id: id.clone(), from: "Frankfurt".into(), to: "Las Vegas".into(), customer: "cmr".into() };
    let answer = slow(1, delay).answer(&rfq).unwrap();
    // Long enough to hear it, and to acknowledge it if it did so at once.
    sleep(delay / 4).await;
    providers.crash().await;
    assert!(begun.elapsed() < delay, "it has answered already");

    let _again = exchange.providers([slow(1, delay)]).await;
    let view = quotes.until(&id, "it is complete", |view| view.state == RfqState::Complete).await;
    assert_eq!((view.quotes[0].quote, view.quotes.len()), (answer.quote, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_has_a_health_path_and_a_number_of_its_own() {
    let exchange = Exchange::open().await;
    let providers = exchange.providers([1, 2].map(silent)).await;
    for number in [1, 2] {
        let health = get(&format!("/providers/{}/health", provider_name(number)));
        assert_eq!(ask(providers.address, health).await.status, 200);
    }
    assert_eq!(ask(providers.address, get("/providers/UnicornManagementResource3/health")).await.status, 404);

    let twice = vec![silent(1), silent(1)];
    let config =
        provider::Config { registry: exchange.registry.into(), messages: exchange.messages.clone(), providers: twice };
    let refused = provider::run(config, free_port().await, std::future::pending()).await.unwrap_err();
    assert_eq!(refused.to_string(), "two providers have number 1");
}
