//! The acts of the Market, played by real processes with real signals and the real thirty seconds.

use std::time::Duration;

use rustix::process::{Signal, kill_process};
use serde_json::Value;
use tokio::time::{Instant, interval};

use crate::demo::{Cast, Demo, until_gone};

const DOWN: &str = "all services are down";

/// A page that nothing hung on.
const QUICK: u64 = 100;

fn things<'a>(state: &'a Value, field: &str) -> Vec<&'a Value> {
    state["things"].as_array().unwrap().iter().map(|thing| &thing[field]).collect()
}

/// The numbers of the instances that answered, sorted.
fn answered_by(state: &Value) -> Vec<u64> {
    let mut numbers: Vec<_> = things(state, "instance").into_iter().filter_map(Value::as_u64).collect();
    numbers.sort_unstable();
    numbers
}

fn row(state: &Value, number: u64) -> &Value {
    let rows = state["instances"].as_array().unwrap();
    rows.iter().find(|row| row["number"] == number).unwrap_or_else(|| panic!("no row of #{number} in {state:#}"))
}

fn elapsed_ms(state: &Value) -> u64 {
    state["last_page"]["elapsed_ms"].as_f64().unwrap() as u64
}

fn assert_all(state: &Value, from: &str) {
    assert!(things(state, "from").iter().all(|was| **was == *from), "not all {from}: {state:#}");
}

fn assert_ratings(state: &Value) {
    let ratings: Vec<_> = things(state, "rating").into_iter().filter_map(Value::as_f64).collect();
    assert_eq!(ratings, [2.1, 3.5, 4.5, 2.2]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn acts_0_to_7() {
    let demo = Demo::start(0).await;

    // Act 0: nobody rates anything.
    let mark = demo.mark();
    let (status, page) = demo.ask("GET", "/").await;
    assert_eq!((status, page.matches("no rating yet").count()), (200, 4));
    for price in ["$19.99", "$49.99", "$99.99"] {
        assert!(page.contains(price));
    }
    let state = demo.state().await;
    assert_all(&state, "none");
    assert!(elapsed_ms(&state) < QUICK, "{state:#}");
    demo.line(mark, "BAD football").await;
    assert_eq!(demo.lines(mark, DOWN).len(), 4);

    // Act 1: three instances share the page.
    demo.post("/lab/ratings/start?count=3").await;
    let mark = demo.mark();
    let state = demo.refresh().await;
    assert_all(&state, "live");
    assert_ratings(&state);
    let mut shares = answered_by(&state);
    shares.dedup();
    assert_eq!((shares, state["last_page"]["calls"].as_u64()), (vec![1, 2, 3], Some(4)));
    demo.line(mark, "GOT camera: 4.5").await;
    assert!(demo.lines(mark, "BAD").is_empty());

    // Act 2: all end, by ^C and by kill -9; the ratings stay.
    for number in 1..=3 {
        kill_process(demo.ratings_pid(number), Signal::INT).unwrap();
    }
    let all_gone = |state: &Value| (1..=3).all(|number| row(state, number)["registry"] == "gone");
    demo.until(all_gone).await;
    assert_last_good(&demo).await;
    demo.post("/lab/ratings/start?count=3").await;
    assert_all(&demo.refresh().await, "live");
    demo.post("/lab/ratings/kill-all").await;
    assert_last_good(&demo).await;

    // Act 3: they come back one by one.
    demo.post("/lab/ratings/start?count=1").await;
    let state = demo.refresh().await;
    assert_all(&state, "live");
    assert_eq!(answered_by(&state), [1, 1, 1, 1]);
    demo.post("/lab/ratings/start?count=1").await;
    assert_eq!(answered_by(&demo.refresh().await), [1, 1, 2, 2]);

    // Act 4: #1 is paused; one page waits for it, and one breaker opens once.
    let mark = demo.mark();
    demo.post("/lab/ratings/1/pause").await;
    let state = demo.refresh().await;
    assert_ratings(&state);
    assert!((1000..=1100).contains(&elapsed_ms(&state)), "{state:#}");
    assert_eq!(state["last_page"]["timeouts"], 2);
    let opened = demo.line(mark, "OPEN breaker on [ratings at http://127.0.0.1:").await;
    assert_eq!((&row(&state, 1)["process"], &row(&state, 1)["breaker"]), (&"paused".into(), &"open".into()));

    // Act 4b: within the thirty seconds nobody asks it.
    let asked = demo.mark();
    for _ in 0..5 {
        let state = demo.refresh().await;
        assert_all(&state, "live");
        assert_eq!(answered_by(&state), [2, 2, 2, 2]);
        assert!(elapsed_ms(&state) < QUICK, "{state:#}");
    }
    assert!(demo.lines(asked, "using instance 1:").is_empty());

    // Act 5: RETEST with no traffic.
    let retest = demo.line_within(mark, "RETEST breaker", Duration::from_secs(32)).await;
    let delay = retest.at - opened.at;
    assert!((Duration::from_millis(29_990)..Duration::from_millis(30_500)).contains(&delay), "RETEST after {delay:?}");
    let state = demo.state().await;
    assert_eq!((&row(&state, 1)["breaker"], &row(&state, 1)["registry"]), (&"half-open".into(), &"silent".into()));

    // Act 5b: nobody waits for the probe.
    let state = demo.refresh().await;
    assert_all(&state, "live");
    assert_eq!(answered_by(&state), [2, 2, 2, 2]);
    assert!(elapsed_ms(&state) < QUICK, "{state:#}");

    // Act 6: resumed, it closes by itself.
    let resumed = demo.mark();
    demo.post("/lab/ratings/1/resume").await;
    demo.line_within(resumed, "CLOSE breaker", Duration::from_secs(2)).await;
    assert_eq!(demo.lines(resumed, "using instance 1:").len(), 1);
    assert_eq!(demo.lines(mark, "OPEN breaker").len(), 1);
    assert_eq!(demo.lines(mark, "RETEST breaker").len(), 1);

    // Act 7: both share the page again.
    let state = demo.refresh().await;
    assert_all(&state, "live");
    assert_eq!(answered_by(&state), [1, 1, 2, 2]);
    assert_eq!(demo.lines(mark, "CLOSE breaker").len(), 1);
}

async fn assert_last_good(demo: &Demo) {
    let mark = demo.mark();
    let state = demo.refresh().await;
    assert_all(&state, "last-good");
    assert_ratings(&state);
    assert!(things(&state, "age_ms").iter().all(|age| age.is_u64()), "{state:#}");
    assert!(elapsed_ms(&state) < QUICK, "{state:#}");
    demo.line(mark, "BAD football").await;
    assert_eq!(demo.lines(mark, DOWN).len(), 4);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn act_8_the_registry_dies_and_comes_back() {
    let demo = Demo::start(2).await;
    assert_all(&demo.refresh().await, "live");
    let mark = demo.mark();
    demo.post("/lab/registry/kill").await;
    demo.until(|state| state["registry"]["reachable"] == false).await;
    let (_, page) = demo.ask("GET", "/?still").await;
    assert!(page.contains("using the last known 2 instances"), "{page}");

    let minute = Instant::now() + Duration::from_secs(60);
    let mut clicks = interval(Duration::from_millis(200));
    while Instant::now() < minute {
        clicks.tick().await;
        assert_all(&demo.refresh().await, "live");
    }
    demo.post("/lab/registry/start").await;
    let back = |state: &Value| {
        state["registry"]["reachable"] == true && (1..=2).all(|number| row(state, number)["registry"] == "up")
    };
    let until = Instant::now() + Duration::from_secs(20);
    while Instant::now() < until {
        clicks.tick().await;
        let state = demo.refresh().await;
        assert_all(&state, "live");
        assert!(
            (1..=2).all(|number| row(&state, number)["registry"] == "up" && row(&state, number)["breaker"] == "closed")
        );
    }
    assert!(back(&demo.state().await));
    assert!(demo.lines(mark, "BAD").is_empty() && demo.lines(mark, "breaker on").is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn ctrl_c_with_a_page_open_and_an_instance_paused_leaves_nothing_behind() {
    let demo = Demo::run(Cast { instances: 3, bidders: 3, providers: 3, backends: 3, ..Cast::default() }).await;
    for kind in ["ratings", "bidders", "providers", "backends"] {
        demo.post(&format!("/lab/{kind}/2/pause")).await;
    }
    let _page = demo.open_stream().await;
    let processes = demo.children();
    assert_eq!(processes.len(), 18, "a registry, five services, and three of each kind");
    let took = demo.end(Signal::INT).await;
    assert!(took < Duration::from_secs(3), "^C took {took:?}");
    until_gone(&processes).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_demo_that_is_killed_takes_its_processes_with_it() {
    let demo = Demo::start(2).await;
    demo.post("/lab/ratings/1/pause").await;
    let processes = demo.children();
    demo.end(Signal::KILL).await;
    until_gone(&processes).await;
}
