//! What does not make a quote, and how requests end.

use std::time::Duration;

use mainstay::contracts::quotes::{Counters, RfqState, provider_name};
use mainstay_messaging::Messages;
use tokio::time::Instant;

use super::exchange::{Exchange, silent};

const MINUTE: Duration = Duration::from_secs(60);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_quote_is_counted_and_dropped() {
    let exchange = Exchange::open().await;
    let _providers = exchange.providers([1, 2].map(silent)).await;
    let quotes = exchange.quotes(MINUTE).await;
    let id = quotes.submit().await;

    exchange.tell(&id, 1, 50).await;
    quotes.counted(1).await;
    exchange.tell(&id, 1, 10).await;
    exchange.tell(&id, 3, 0).await;
    exchange.tell_as(&id, "", 0).await;
    exchange.tell(&Messages::new_id(), 1, 0).await;
    exchange.tell("7", 1, 0).await;
    exchange.tell(&"x".repeat(10_000), 1, 0).await;
    let counters = quotes.counted(7).await;
    assert_eq!(counters, Counters { stored: 1, twice: 1, unknown: 3, unasked: 2, late: 0 });

    let view = quotes.view(&id).await;
    assert_eq!((view.answered, view.best.unwrap().quote), (1, 50));
    exchange.tell(&id, 2, 60).await;
    let view = quotes.until(&id, "it is complete", |view| view.state == RfqState::Complete).await;
    assert_eq!((view.answered, view.best.unwrap().quote), (2, 50));
    assert_eq!(quotes.get("/quotes").await.body.as_array().unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_closes_in_time_and_what_comes_then_is_late() {
    let exchange = Exchange::open().await;
    let _providers = exchange.providers([1, 2].map(silent)).await;
    let open_for = Duration::from_millis(700);
    let quotes = exchange.quotes(open_for).await;
    let begun = Instant::now();
    let id = quotes.submit().await;
    exchange.tell(&id, 1, 50).await;
    quotes.until(&id, "one has answered", |view| view.answered == 1).await;
    let closed = quotes.until(&id, "it is closed", |view| view.state == RfqState::Closed).await;
    assert!(begun.elapsed() >= open_for, "{:?}", begun.elapsed());
    assert_eq!((closed.answered, closed.asked, closed.closes_in_ms), (1, 2, 0));

    exchange.tell(&id, 2, 0).await;
    assert_eq!(quotes.counted(2).await, Counters { stored: 1, late: 1, ..Counters::default() });
    assert_eq!(quotes.view(&id).await, closed);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_nobody_there_a_request_is_kept_and_closes_without_a_quote() {
    let exchange = Exchange::open().await;
    let quotes = exchange.quotes(Duration::from_millis(300)).await;
    let id = quotes.submit().await;
    let closed = quotes.until(&id, "it is closed", |view| view.state == RfqState::Closed).await;
    assert_eq!((closed.asked, closed.answered, closed.best), (0, 0, None));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_list_only_grows() {
    let exchange = Exchange::open().await;
    let _providers = exchange.providers([1, 2, 3, 4, 7, 10, 12].map(silent)).await;
    let quotes = exchange.quotes(MINUTE).await;
    let id = quotes.submit().await;
    let mut before = Vec::new();
    for (number, quote) in [(7, 70), (2, 20), (12, 5), (1, 90), (10, 5), (3, 30)] {
        exchange.tell(&id, number, quote).await;
        let view = quotes.until(&id, "it is there", |view| view.answered > before.len()).await;
        assert!(before.iter().all(|old| view.quotes.contains(old)), "{before:?} is not in {view:?}");
        before = view.quotes;
    }
    let names: Vec<_> = before.iter().map(|quoted| quoted.responder.clone()).collect();
    assert_eq!(names, [1, 2, 3, 7, 10, 12].map(provider_name));
    // Of two equal ones, the one whose name comes first.
    assert_eq!(quotes.view(&id).await.best.unwrap().responder, provider_name(10));
}
