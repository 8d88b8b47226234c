//! Whoever ends the service half-way, and starts it again, loses nothing.

use std::time::Duration;

use mainstay::contracts::quotes::{Counters, RfqState};
use tokio::time::{Instant, sleep_until};

use super::exchange::{Exchange, silent};

const MINUTE: Duration = Duration::from_secs(60);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn quotes_that_come_while_the_service_is_away_are_quotes() {
    let exchange = Exchange::open().await;
    let _providers = exchange.providers([1, 2].map(silent)).await;
    let quotes = exchange.quotes(MINUTE).await;
    let id = quotes.submit().await;
    exchange.tell(&id, 1, 50).await;
    quotes.until(&id, "one has answered", |view| view.answered == 1).await;
    quotes.crash().await;
    exchange.tell(&id, 2, 60).await;
    let quotes = exchange.quotes(MINUTE).await;
    let view = quotes.until(&id, "it is complete", |view| view.state == RfqState::Complete).await;
    assert_eq!((view.answered, view.best.unwrap().quote), (2, 50));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_whose_time_ends_meanwhile_hears_first_what_came() {
    let exchange = Exchange::open().await;
    let _providers = exchange.providers([1, 2, 3].map(silent)).await;
    let open_for = Duration::from_millis(500);
    let quotes = exchange.quotes(open_for).await;
    let (with, without) = (quotes.submit().await, quotes.submit().await);
    let ends = Instant::now() + open_for;
    quotes.stop().await;
    exchange.tell(&with, 1, 50).await;
    sleep_until(ends).await;
    let quotes = exchange.quotes(open_for).await;
    let view = quotes.until(&with, "it has heard", |view| view.answered == 1).await;
    assert_eq!((view.state, view.closes_in_ms), (RfqState::Open, 0));
    for (id, answered) in [(&with, 1), (&without, 0)] {
        let view = quotes.until(id, "it is closed", |view| view.state == RfqState::Closed).await;
        assert_eq!(view.answered, answered);
    }
    exchange.tell(&with, 2, 0).await;
    assert_eq!(quotes.counted(2).await, Counters { stored: 1, late: 1, ..Counters::default() });
}
