//! Answers that wait.

use tokio::time::{Instant, advance, sleep};

use super::*;
use crate::Limits;

const SECOND: Duration = Duration::from_secs(1);
const WEB: &str = "/v1/health/service/web";

/// Lets everybody go on who can, without time.
async fn settle() {
    for _ in 0..50 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_service_that_does_not_exist_is_waited_for() {
    let agent = Agent::start(Config::default()).await;
    assert_eq!(agent.get(WEB).await.counted(), (0, 1));
    let waiting = tokio::spawn(agent.get(&format!("{WEB}?index=1&wait=60s")));
    settle().await;
    agent.passing("db", "db", SECOND * 3600).await;
    sleep(SECOND).await;
    assert!(!waiting.is_finished(), "another service is none of its business");
    let begun = Instant::now();
    agent.passing("web", "web", SECOND * 3600).await;
    let answer = waiting.await.unwrap();
    assert_eq!((answer.counted(), begun.elapsed() < SECOND), ((1, 3), true));
    let waiting = tokio::spawn(agent.get(&format!("{WEB}?index=3")));
    settle().await;
    agent.put("/v1/agent/service/deregister/web", "").await;
    assert_eq!(waiting.await.unwrap().counted(), (0, 4), "an index never goes back");
    assert_eq!(agent.get(WEB).await.counted(), (0, 4));
}

#[tokio::test(start_paused = true)]
async fn an_answer_comes_at_the_end_of_the_wait_and_not_later() {
    let agent = Agent::start(Config::default()).await;
    for (parameters, seconds) in [
        ("index=1&wait=10s", 10),
        ("wait=1m30s&index=1&stale", 90),
        ("index=1", 300),
        ("index=1&wait=0s", 300),
        ("index=1&wait=600001ms", 600),
        ("index=1&wait=24h", 600),
        ("index=7&wait=5s", 5),
        ("index=18446744073709551615&wait=5s", 5),
        ("index=0&wait=5s", 0),
        ("wait=5s", 0),
    ] {
        for path in [WEB, "/v1/catalog/services", "/v1/catalog/service/web", "/v1/health/state/any"] {
            let begun = Instant::now();
            let answer = agent.get(&format!("{path}?{parameters}")).await;
            assert_eq!((answer.status, answer.index), (StatusCode::OK, Some(1)), "{path}?{parameters}");
            assert_eq!(begun.elapsed().as_secs(), seconds, "{path}?{parameters}");
            assert!(begun.elapsed() < Duration::from_secs(seconds) + SECOND / 100, "{:?}", begun.elapsed());
        }
    }
}

#[tokio::test(start_paused = true)]
async fn who_waits_has_the_place_of_a_watcher_and_frees_it() {
    let limits = Limits { watchers: 1, ..Limits::default() };
    let agent = Agent::start(Config { limits, ..Config::default() }).await;
    for path in [WEB, "/v1/catalog/services"] {
        let waiting = tokio::spawn(agent.get(&format!("{path}?index=1")));
        settle().await;
        assert_eq!(agent.directory.watchers(), 1);
        let refused = agent.get(&format!("{WEB}?index=1")).await;
        let reason = "there are 1 watchers, and may not be more";
        assert_eq!((refused.status, refused.text.as_str()), (StatusCode::SERVICE_UNAVAILABLE, reason));
        assert_eq!(agent.get(WEB).await.status, StatusCode::OK, "who does not wait needs none");
        waiting.abort();
        assert!(waiting.await.unwrap_err().is_cancelled());
        assert_eq!(agent.directory.watchers(), 0);
    }
    assert!(agent.directory.views().get("web").is_none(), "nor is a service remembered that somebody asked for");
}

#[tokio::test(start_paused = true)]
async fn a_registry_that_stops_keeps_nobody_waiting() {
    let agent = Agent::start(Config::default()).await;
    let waiting = [WEB, "/v1/health/state/any"].map(|path| tokio::spawn(agent.get(&format!("{path}?index=1"))));
    settle().await;
    let begun = Instant::now();
    agent.stop.cancel();
    for waiting in waiting {
        assert_eq!(waiting.await.unwrap().status, StatusCode::OK);
    }
    assert_eq!(begun.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_change_of_anything_wakes_who_waits_for_the_catalog() {
    let agent = Agent::start(Config::default()).await;
    let waiting = tokio::spawn(agent.get("/v1/catalog/services?index=1&wait=120000ms&stale="));
    settle().await;
    advance(SECOND).await;
    agent.passing("web", "web", SECOND).await;
    let answer = waiting.await.unwrap();
    assert_eq!((answer.text.as_str(), answer.index), (r#"{"web":[]}"#, Some(2)));
}
