//! The acts of the Market on a simulated network, under paused time.

use std::time::Duration;

use mainstay::contracts::ratings::Ratings;
use mainstay::testing::assert_settled;
use mainstay::{BreakerState, ErrorKind, Service};
use tokio::time::{Instant, sleep, sleep_until};

use crate::common::{breaker, camera, numbers, page, ratings, turns, view};

#[tokio::test(start_paused = true)]
async fn three_instances_share_a_page_evenly() {
    let (_instances, client) = ratings(3, Ratings::POLICY);
    for _ in 0..3 {
        assert!(page(&client).await.iter().all(|fetched| fetched.is_live()));
    }
    for number in 1..=3 {
        assert_eq!(view(&client, number).calls.ok, 4);
    }
    assert_settled(&client).await;
}

#[tokio::test(start_paused = true)]
async fn a_paused_instance_is_stepped_around_retested_and_taken_back() {
    let (instances, client) = ratings(2, Ratings::POLICY);
    let mut events = client.events();
    page(&client).await;

    // Act 4: one page waits for its two calls to #1, and shows their last good values.
    instances[0].pause();
    let started = Instant::now();
    let shown = page(&client).await;
    let opened = Instant::now();
    assert_eq!(opened - started, Duration::from_secs(1));
    let stale: Vec<_> = shown.iter().filter_map(|fetched| fetched.reason()).collect();
    assert_eq!(stale.len(), 2);
    for reason in stale {
        assert_eq!((reason.kind(), reason.instance().unwrap().number), (ErrorKind::Timeout, 1));
        assert!(reason.was_sent() && reason.attempts() == 1);
    }
    assert_eq!(turns(&mut events).await, ["OPEN 1"]);
    assert_eq!(view(&client, 1).calls.failed, 2);

    // Act 4b: within the delay nothing goes there.
    let before = instances[0].requests();
    for _ in 0..5 {
        assert_eq!(numbers(&page(&client).await), [2, 2, 2, 2]);
    }
    assert_eq!((instances[0].requests(), view(&client, 1).calls.skipped), (before, 20));

    // Act 5: RETEST with no traffic, exactly at the delay; callers do not wait for the probe.
    sleep_until(opened + Duration::from_millis(29_990)).await;
    assert_eq!(turns(&mut events).await, [""; 0]);
    sleep(Duration::from_millis(20)).await;
    assert_eq!(turns(&mut events).await, ["RETEST 1"]);
    assert_eq!(breaker(&client, 1), BreakerState::HalfOpen);
    sleep(Duration::from_secs(60)).await;
    let started = Instant::now();
    assert_eq!(numbers(&page(&client).await), [2, 2, 2, 2]);
    assert_eq!(started.elapsed(), Duration::ZERO);
    assert_eq!(turns(&mut events).await, [""; 0], "failed probes are silent");

    // Act 6: it closes by itself soon after it is resumed.
    instances[0].resume();
    sleep(Duration::from_secs(2)).await;
    assert_eq!(turns(&mut events).await, ["CLOSE 1"]);
    assert_eq!(numbers(&page(&client).await), [1, 1, 2, 2]);
    assert_settled(&client).await;
}

#[tokio::test(start_paused = true)]
async fn killed_instances_cost_nothing_and_last_good_values_stay() {
    let (instances, client) = ratings(3, Ratings::POLICY);
    page(&client).await;
    instances.iter().for_each(|instance| instance.kill());
    sleep(Duration::from_secs(34)).await;

    let started = Instant::now();
    for fetched in page(&client).await {
        assert_eq!((fetched.value.rating.get(), fetched.age), (4.5, Duration::from_secs(34)));
        assert!(fetched.reason().unwrap().is_down());
    }
    assert_eq!(started.elapsed(), Duration::ZERO);

    instances[0].resume();
    sleep(Duration::from_secs(32)).await;
    assert_eq!(numbers(&page(&client).await), [1, 1, 1, 1]);
    assert_settled(&client).await;
}

#[tokio::test(start_paused = true)]
async fn a_refused_call_goes_to_the_next_instance_at_once() {
    let (instances, client) = ratings(3, Ratings::POLICY);
    instances[0].kill();
    instances[1].kill();
    let shown = page(&client).await;
    assert!(shown.iter().all(|fetched| fetched.is_live()));
    assert_eq!(numbers(&shown), [3, 3, 3, 3]);
    assert_settled(&client).await;
}

#[tokio::test(start_paused = true)]
async fn with_nobody_left_and_nothing_kept_the_error_says_so() {
    let (instances, client) = ratings(2, Ratings::POLICY);
    instances.iter().for_each(|instance| instance.kill());
    let error = camera(&client).await.unwrap_err();
    assert_eq!((error.kind(), error.attempts(), error.was_sent()), (ErrorKind::Refused, 2, false));
    assert!(error.is_down());

    sleep(Duration::from_secs(10)).await;
    let error = camera(&client).await.unwrap_err();
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::AllOpen, 0));
    assert_eq!(error.retry_after(), Some(Duration::from_secs(20)));
    assert_settled(&client).await;
}

#[tokio::test(start_paused = true)]
async fn last_good_values_end_with_their_time() {
    let (instances, client) = ratings(1, Ratings::POLICY);
    page(&client).await;
    instances[0].kill();
    sleep(Duration::from_secs(599)).await;
    assert!(camera(&client).await.is_ok());
    sleep(Duration::from_secs(2)).await;
    assert!(camera(&client).await.unwrap_err().is_down());
    assert_settled(&client).await;
}
