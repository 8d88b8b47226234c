//! Auctions among real processes, with real signals and the real thirty seconds.

use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;

use crate::demo::Demo;

const CAR: &str = "item=car&condition=good";

/// Runs an auction by the page's form; the state after it, and how long it took.
async fn sell(demo: &Demo) -> (Value, Duration) {
    let began = Instant::now();
    let (status, _) = demo.submit("/auction", CAR).await;
    assert_eq!(status, 303);
    (demo.state().await, began.elapsed())
}

fn winner(state: &Value) -> (Option<u64>, Option<u64>) {
    let winner = &state["auction"]["winner"];
    (winner["number"].as_u64(), winner["bid"].as_u64())
}

fn leg(state: &Value, bidder: u64) -> &Value {
    let legs = state["auction"]["legs"].as_array().unwrap();
    legs.iter().find(|leg| leg["bidder"] == bidder).unwrap_or_else(|| panic!("no leg of {bidder} in {state:#}"))
}

fn breaker(state: &Value, number: u64) -> &str {
    let rows = state["bidders"].as_array().unwrap();
    rows.iter().find(|row| row["number"] == number).and_then(|row| row["breaker"].as_str()).unwrap_or("none")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn an_auction_steps_around_a_paused_bidder_and_takes_it_back() {
    let demo = Demo::with_bidders(3).await;
    let mark = demo.mark();
    let (state, took) = sell(&demo).await;
    assert_eq!(winner(&state), (Some(2), Some(470_000)), "{state:#}");
    assert!(took < Duration::from_millis(500), "{took:?}");
    assert_eq!(state["auction"]["summary"], "3 of 3 within 1000 ms");
    demo.line(mark, "ASK all bidders for car, good").await;
    demo.line(mark, "GOT car, good: 470000 by Bidder 2").await;
    assert_eq!(demo.lines(mark, "bidders using instance ").len(), 3);

    // The paused one costs the deadline, once.
    let paused = demo.mark();
    demo.post("/lab/bidders/2/pause").await;
    let (state, took) = sell(&demo).await;
    assert_eq!(winner(&state), (Some(3), Some(440_000)), "{state:#}");
    assert_eq!((&leg(&state, 2)["outcome"], breaker(&state, 2)), (&"timed-out".into(), "open"));
    assert!((Duration::from_secs(1)..Duration::from_millis(1500)).contains(&took), "{took:?}");
    let opened = demo.line(paused, "OPEN breaker on [bidders at http://127.0.0.1:").await;

    let (state, took) = sell(&demo).await;
    assert_eq!((winner(&state).0, &leg(&state, 2)["outcome"]), (Some(3), &"skipped".into()), "{state:#}");
    assert!(took < Duration::from_millis(500), "{took:?}");
    let (_, page) = demo.ask("GET", "/auction").await;
    assert!(page.contains("skipped: its breaker is open, retest in "), "{page}");

    // Who comes at run time is asked next.
    demo.post("/lab/bidders/start?number=4").await;
    let (state, _) = sell(&demo).await;
    assert_eq!(winner(&state), (Some(4), Some(480_000)), "{state:#}");

    let retest = demo.line_within(paused, "RETEST breaker on [bidders", Duration::from_secs(32)).await;
    let delay = retest.at - opened.at;
    assert!((Duration::from_millis(29_990)..Duration::from_millis(30_500)).contains(&delay), "RETEST after {delay:?}");
    demo.post("/lab/bidders/2/resume").await;
    demo.line_within(paused, "CLOSE breaker on [bidders", Duration::from_secs(3)).await;
    assert_eq!(demo.lines(paused, "OPEN breaker on [bidders").len(), 1);
    let (state, _) = sell(&demo).await;
    assert_eq!(leg(&state, 2)["bid"], 470_000, "{state:#}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn bidders_that_misbehave_do_not_win_and_nobody_left_is_said_calmly() {
    let demo = Demo::with_bidders(1).await;
    for manner in ["manner=nonsense", "manner=fails", "manner=silent", "delay_ms=300"] {
        demo.post(&format!("/lab/bidders/start?{manner}")).await;
    }
    let (state, took) = sell(&demo).await;
    assert_eq!(winner(&state), (Some(5), Some(500_000)), "the slow one is in time: {state:#}");
    for (bidder, outcome, why) in [
        (1, "bid", "Bidder 5 bid 500000"),
        (2, "rejected", "rejected: the bid is a text, not a number"),
        (3, "failed", "failed: status 500"),
        (4, "timed-out", "timed out"),
    ] {
        let leg = leg(&state, bidder);
        assert_eq!((&leg["outcome"], &leg["why"]), (&outcome.into(), &why.into()), "{state:#}");
    }
    assert!(took < Duration::from_millis(1500), "{took:?}");

    // Started again, one bids as it should. Its breaker is closed by a probe.
    demo.post("/lab/bidders/3/kill").await;
    let state = demo.post("/lab/bidders/start?number=3").await;
    assert_eq!(breaker(&state, 3), "closed");
    assert_eq!(leg(&sell(&demo).await.0, 3)["bid"], 440_000);

    let mark = demo.mark();
    demo.post("/lab/bidders/kill-all").await;
    demo.until(|state| state["bidders"].as_array().unwrap().iter().all(|row| row["registry"] == "gone")).await;
    let (state, took) = sell(&demo).await;
    assert_eq!((winner(&state).0, &state["auction"]["reason"]), (None, &"no bidder is registered".into()));
    assert!(took < Duration::from_millis(500), "{took:?}");
    demo.line(mark, "BAD car, good: no bidder is registered").await;
    let (_, page) = demo.ask("GET", "/auction").await;
    assert!(page.contains("There was nobody to ask"), "{page}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn the_auction_service_runs_beside_the_page_and_auctions_outlive_the_registry() {
    let demo = Demo::with_bidders(3).await;
    let service = demo.line(0, "Auction ").await.text;
    let service = service.split("http://").nth(1).unwrap();
    let wins = r#"{"Bidder Name":"Bidder 2","Bid":470000}"#;
    Demo::sells_at(service, r#"{"Item":"car","Condition":"good"}"#, wins).await;

    demo.post("/lab/registry/kill").await;
    demo.until(|state| state["registry"]["reachable"] == false).await;
    let (_, page) = demo.ask("GET", "/auction").await;
    assert!(page.contains("using the last known 3 bidders"), "{page}");
    assert_eq!(winner(&sell(&demo).await.0).0, Some(2));
}
