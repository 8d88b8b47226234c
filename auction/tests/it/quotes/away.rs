//! Whoever keeps the messages is away for a while.

use std::time::Duration;

use mainstay::contracts::quotes::RfqState;
use tokio::time::Instant;

use super::exchange::{Exchange, prompt};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_is_taken_while_the_hub_is_away_and_goes_out_when_it_is_back() {
    let mut exchange = Exchange::with_hub().await;
    let _providers = exchange.providers([1, 2].map(prompt)).await;
    let quotes = exchange.quotes(Duration::from_secs(60)).await;
    assert_eq!(quotes.get("/health").await.status, 200);
    exchange.lose_hub().await;

    let begun = Instant::now();
    let ids = [quotes.submit().await, quotes.submit().await];
    assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
    for id in &ids {
        let view = quotes.view(id).await;
        assert_eq!((view.state, view.asked, view.answered), (RfqState::Open, 2, 0));
    }

    exchange.find_hub();
    for id in &ids {
        let view = quotes.until(id, "it is complete", |view| view.state == RfqState::Complete).await;
        assert_eq!((view.asked, view.quotes.len()), (2, 2));
    }
}
