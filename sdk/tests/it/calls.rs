//! What counts as a failure, who is tried next, and what a caller that leaves costs.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use http::StatusCode;
use mainstay::contracts::ratings::{GetRating, Ratings};
use mainstay::testing::{Answer, Network, assert_settled};
use mainstay::tower::ClientService;
use mainstay::{BreakerState, Call, Client, ErrorKind, Policy, Service};
use tokio::time::{Instant, sleep, timeout};

use crate::common::{RATING, breaker, camera, client, ratings, turns, view};

const NO_HEALTH_PATH: Policy = Ratings::POLICY.to_builder().no_health_path().build_const();

#[tokio::test(start_paused = true)]
async fn answers_are_classified() {
    let cases: [(Answer, Option<ErrorKind>, BreakerState); 9] = [
        (Answer::ok(RATING), None, BreakerState::Closed),
        (Answer::ok(""), Some(ErrorKind::Undecodable), BreakerState::Open),
        (Answer::status(StatusCode::NO_CONTENT), Some(ErrorKind::Undecodable), BreakerState::Open),
        (Answer::status(StatusCode::NOT_FOUND), Some(ErrorKind::Declined), BreakerState::Closed),
        (Answer::status(StatusCode::TOO_MANY_REQUESTS), Some(ErrorKind::Declined), BreakerState::Closed),
        (Answer::status(StatusCode::INTERNAL_SERVER_ERROR), Some(ErrorKind::Failed), BreakerState::Open),
        (Answer::ok(r#"{"thing":"camera","rating":"4.5"}"#), Some(ErrorKind::Undecodable), BreakerState::Open),
        (Answer::ok(vec![b' '; 2 * 1024 * 1024]), Some(ErrorKind::Undecodable), BreakerState::Open),
        (Answer::ok(RATING).after(Duration::from_secs(2)), Some(ErrorKind::Timeout), BreakerState::Open),
    ];
    for (answer, kind, state) in cases {
        let network = Network::new();
        let shown = format!("{answer:?}");
        let instance = network.instance("10.0.0.1:80", move |_| answer.clone());
        let client = client(&network, &[instance], Ratings::POLICY);
        let error = camera(&client).await.err();
        assert_eq!(error.map(|error| error.kind()), kind, "{shown:.60}");
        assert_eq!(breaker(&client, 1), state, "{shown:.60}");
        assert_settled(&client).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_refusal_of_the_service_is_never_replaced_by_a_last_good_value() {
    let network = Network::new();
    let calls = AtomicU64::new(0);
    let instance = network.instance("10.0.0.1:80", move |_| match calls.fetch_add(1, Ordering::Relaxed) {
        0 => Answer::ok(RATING),
        _ => Answer::status(StatusCode::NOT_FOUND),
    });
    let client = client(&network, &[instance], Ratings::POLICY);
    assert!(camera(&client).await.unwrap().is_live());
    assert_eq!(camera(&client).await.unwrap_err().status(), Some(StatusCode::NOT_FOUND));
    assert_settled(&client).await;
}

#[tokio::test(start_paused = true)]
async fn a_thousand_impatient_callers_find_out_a_hung_instance() {
    let (instances, client) = ratings(1, Ratings::POLICY);
    let mut events = client.events();
    instances[0].pause();
    let mut left = 0;
    for _ in 0..1000 {
        let call = timeout(Duration::from_millis(2), camera(&client)).await;
        left += u32::from(call.is_err());
    }
    assert!((400..=600).contains(&left), "after one second nobody waits any more, but {left} did");
    assert_eq!(turns(&mut events).await, ["OPEN 1"]);
    sleep(Duration::from_secs(1)).await;
    assert_settled(&client).await;
}

#[tokio::test(start_paused = true)]
async fn callers_that_leave_a_slow_instance_do_not_open_its_breaker() {
    let network = Network::new();
    let instance = network.instance("10.0.0.1:80", |_| Answer::ok(RATING).after(Duration::from_millis(900)));
    let client = client(&network, &[instance], Ratings::POLICY);
    for _ in 0..100 {
        assert!(timeout(Duration::from_millis(100), camera(&client)).await.is_err());
    }
    sleep(Duration::from_secs(2)).await;
    assert_eq!(breaker(&client, 1), BreakerState::Closed);
    assert!(view(&client, 1).permits.cancelled > 80);
    assert_settled(&client).await;
}

#[tokio::test(start_paused = true)]
async fn a_deadline_of_the_callers_own_leaves_the_verdict_to_the_timeout() {
    let (instances, client) = ratings(1, Ratings::POLICY);
    instances[0].pause();
    let started = Instant::now();
    let error = client.call_before(GetRating::new("camera"), started + Duration::from_millis(100)).await.unwrap_err();
    assert_eq!((error.kind(), started.elapsed()), (ErrorKind::Deadline, Duration::from_millis(100)));
    assert_eq!(breaker(&client, 1), BreakerState::Closed);
    sleep(Duration::from_millis(901)).await;
    assert_eq!(breaker(&client, 1), BreakerState::Open);
    assert_settled(&client).await;
}

#[tokio::test(start_paused = true)]
async fn a_change_is_never_answered_from_memory() {
    let network = Network::new();
    let instance = network.instance("10.0.0.1:80", |_| Answer::ok("7"));
    let client = Client::<Orders>::builder().fixed([instance.address()]).network(network).build().unwrap();
    assert_eq!(client.call(Order { thing: "camera".to_owned() }).await.unwrap().value, 7);
    instance.kill();
    // Until the idle connection is known to be broken.
    sleep(Duration::from_millis(1)).await;
    let error = client.call(Order { thing: "camera".to_owned() }).await.unwrap_err();
    assert!(error.is_down() && !error.was_sent());
    assert_settled(&client).await;
}

struct Orders;

impl Service for Orders {
    const NAME: &'static str = "orders";
}

#[derive(serde::Serialize, serde::Deserialize)]
struct Order {
    thing: String,
}

impl Call for Order {
    type Service = Orders;
    type Response = u32;
    const METHOD: http::Method = http::Method::POST;
    const ROUTE: &'static str = "/orders";
}

#[tokio::test(start_paused = true)]
async fn more_calls_than_connections_are_not_the_instances_fault() {
    let network = Network::new();
    let instance = network.instance("10.0.0.1:80", |_| Answer::ok(RATING).after(Duration::from_millis(600)));
    let client = client(&network, &[instance], Ratings::POLICY);
    let calls = (0..600).map(|_| camera(&client));
    let ended = futures_util::future::join_all(calls).await;
    let live = ended.iter().flatten().filter(|fetched| fetched.is_live()).count();
    assert!((512..600).contains(&live), "{live} live answers");
    sleep(Duration::from_secs(2)).await;
    assert_eq!((breaker(&client, 1), view(&client, 1).calls.failed), (BreakerState::Closed, 0));
    assert_settled(&client).await;
}

#[tokio::test(start_paused = true)]
async fn an_attempt_left_behind_is_judged_like_any_other() {
    let network = Network::new();
    let wrong = |_: &str| Answer::ok("not JSON").after(Duration::from_millis(500));
    let client = client(&network, &[network.instance("10.0.0.1:80", wrong)], Ratings::POLICY);
    assert!(timeout(Duration::from_millis(100), camera(&client)).await.is_err());
    sleep(Duration::from_secs(1)).await;
    assert_eq!(breaker(&client, 1), BreakerState::Open);
    assert_settled(&client).await;
}

#[tokio::test(start_paused = true)]
async fn a_refusal_after_a_timeout_is_not_the_death_of_everybody() {
    let policy = Ratings::POLICY.to_builder().deadline(Duration::from_secs(3)).build_const();
    let (instances, client) = ratings(2, policy);
    instances[0].pause();
    instances[1].kill();
    let error = camera(&client).await.unwrap_err();
    assert_eq!((error.attempts(), error.is_down()), (2, false));
    assert!(error.retry_after().is_some_and(|after| after <= Duration::from_secs(30)));
    assert_settled(&client).await;
}

#[tokio::test(start_paused = true)]
async fn no_attempt_starts_after_the_deadline() {
    let network = Network::new();
    let slow = |_: &str| Answer::ok(RATING).after(Duration::from_secs(10));
    let instances: Vec<_> = (1..=6).map(|number| network.instance(&format!("10.0.0.{number}:80"), slow)).collect();
    let policy = Policy::builder().timeout(Duration::from_millis(300)).deadline(Duration::from_secs(1)).build_const();
    let client = client(&network, &instances, policy);
    let started = Instant::now();
    let error = camera(&client).await.unwrap_err();
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::Deadline, 4));
    assert_eq!(started.elapsed(), Duration::from_secs(1));
    sleep(Duration::from_secs(1)).await;
    assert_eq!(instances.iter().map(|instance| instance.requests()).sum::<u64>(), 4);
    assert_settled(&client).await;
}

#[tokio::test(start_paused = true)]
async fn without_a_health_path_two_concurrent_calls_are_one_probe() {
    let (instances, client) = ratings(1, NO_HEALTH_PATH);
    let mut events = client.events();
    instances[0].pause();
    assert!(camera(&client).await.is_err());
    sleep(Duration::from_secs(30)).await;
    assert_eq!(turns(&mut events).await, ["OPEN 1", "RETEST 1"]);

    let before = instances[0].requests();
    instances[0].resume();
    sleep(Duration::from_millis(1)).await;
    let late = instances[0].requests();
    assert!(late <= before + 1, "nothing but the old request is served");
    let (one, other) = tokio::join!(camera(&client), camera(&client));
    assert_eq!(instances[0].requests(), late + 1);
    assert!(one.is_ok() != other.is_ok());
    assert_eq!(turns(&mut events).await, ["CLOSE 1"]);
    assert_settled(&client).await;
}

#[tokio::test(start_paused = true)]
async fn ten_thousand_concurrent_calls_at_half_open_are_one_probe() {
    let network = Network::new();
    let answers = |target: &str| if target == "/health" { Answer::ok("{}") } else { Answer::ok(RATING) };
    let slow = move |target: &str| answers(target).after(Duration::from_millis(10));
    for policy in [NO_HEALTH_PATH, Ratings::POLICY] {
        let instances = [network.instance("10.0.0.1:80", slow)];
        let client = client(&network, &instances, policy);
        let mut events = client.events();
        instances[0].kill();
        assert!(camera(&client).await.is_err());
        // Half-open, and not a millisecond further: a probe of the client's own is still under way.
        sleep(Duration::from_secs(30)).await;
        instances[0].resume();
        sleep(Duration::from_millis(1)).await;

        let callers = (0..10_000).map(|_| {
            let client = client.clone();
            tokio::spawn(async move { camera(&client).await.is_ok() })
        });
        let mut answered = 0;
        for caller in callers.collect::<Vec<_>>() {
            answered += usize::from(caller.await.unwrap());
        }
        sleep(Duration::from_secs(2)).await;
        let by_call = policy.health_path().is_none();
        assert_eq!((answered, instances[0].requests()), (usize::from(by_call), 1));
        assert_eq!(turns(&mut events).await, ["OPEN 1", "RETEST 1", "CLOSE 1"]);
        assert_settled(&client).await;
    }
}

#[tokio::test(start_paused = true)]
async fn without_a_health_path_a_failed_probe_reopens() {
    let (instances, client) = ratings(1, NO_HEALTH_PATH);
    let mut events = client.events();
    instances[0].kill();
    for _ in 0..3 {
        assert!(camera(&client).await.is_err());
        sleep(Duration::from_millis(30_001)).await;
    }
    assert_eq!(turns(&mut events).await, ["OPEN 1", "RETEST 1", "OPEN 1", "RETEST 1", "OPEN 1", "RETEST 1"]);
    assert_settled(&client).await;
}

#[tokio::test(start_paused = true)]
async fn with_one_of_three_open_the_others_share_evenly() {
    let (instances, client) = ratings(3, Ratings::POLICY);
    instances[1].kill();
    while breaker(&client, 2) == BreakerState::Closed {
        camera(&client).await.unwrap();
    }
    let before = [1, 3].map(|number| view(&client, number).calls.ok);
    for _ in 0..300 {
        camera(&client).await.unwrap();
    }
    let after = [1, 3].map(|number| view(&client, number).calls.ok);
    assert_eq!([after[0] - before[0], after[1] - before[1]], [150, 150]);
    assert_settled(&client).await;
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_broke_while_idle_is_replaced_unseen() {
    let (instances, client) = ratings(1, Ratings::POLICY);
    camera(&client).await.unwrap();
    instances[0].kill();
    sleep(Duration::from_millis(1)).await;
    instances[0].resume();
    assert!(camera(&client).await.unwrap().is_live());
    assert_eq!(breaker(&client, 1), BreakerState::Closed);
    assert_settled(&client).await;
}

#[tokio::test(start_paused = true)]
async fn reading_changes_nothing() {
    let (instances, client) = ratings(2, Ratings::POLICY);
    instances[0].kill();
    while breaker(&client, 1) == BreakerState::Closed {
        camera(&client).await.unwrap();
    }
    let requests = instances[1].requests();
    let (before, mut events) = (format!("{:?}", client.snapshot()), client.events());
    for _ in 0..100 {
        let _ = client.snapshot();
    }
    assert_eq!(format!("{:?}", client.snapshot()), before);
    assert_eq!((instances[1].requests(), turns(&mut events).await), (requests, vec![]));
    assert_settled(&client).await;
}

#[tokio::test(start_paused = true)]
async fn a_call_that_does_not_fit_its_route_reaches_nobody() {
    let (instances, client) = ratings(1, Ratings::POLICY);
    let error = client.call(GetRating::new("")).await.unwrap_err();
    assert_eq!((error.kind(), error.attempts(), instances[0].requests()), (ErrorKind::BadCall, 0, 0));
    let source = std::error::Error::source(&error).unwrap().to_string();
    assert!(source.contains("thing"), "{source:?} does not name the field");
    assert_settled(&client).await;
}

#[tokio::test(start_paused = true)]
async fn a_client_is_a_tower_service_at_the_edge() {
    use tower_service::Service as _;
    let (_instances, client) = ratings(1, Ratings::POLICY);
    let mut service = ClientService::new(client.clone());
    assert!(service.call(GetRating::new("camera")).await.unwrap().is_live());
    assert_settled(&client).await;
}

#[tokio::test]
async fn a_client_needs_somewhere_to_look() {
    let error = Client::<Ratings>::builder().build().unwrap_err().to_string();
    assert!(error.contains("registry(..) or fixed(..)"), "{error}");
}

#[test]
fn a_client_is_shared_between_threads_and_tasks() {
    fn promises<T: Send + Sync + Clone + 'static>() {}
    promises::<Client<Ratings>>();
    promises::<Arc<mainstay::Error>>();
    promises::<mainstay::Error>();
    promises::<mainstay::Fetched<u32>>();
    fn sendable<T: Send>(_: &T) {}
    let future = |client: &Client<Ratings>| sendable(&client.call(GetRating::new("camera")));
    let _ = future;
}
