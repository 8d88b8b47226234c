//! HTTP/2 by policy: real sockets, one connection for all calls.

mod instance;

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use mainstay::contracts::ratings::{Rating, Ratings};
use mainstay::testing::{Answer, Network, assert_settled};
use mainstay::{BreakerState, Client, Error, ErrorKind, EventKind, Fetched, Policy, Service};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Builder;
use tokio::task::JoinSet;
use tokio::time::timeout;

use self::instance::Instance;
use crate::common::{Order, Orders, RATING, breaker, camera};

/// More than anything here takes; only a defect makes a test wait for it.
const LONG: Duration = Duration::from_secs(20);

/// Nothing is kept, so that a call without a live answer is an error.
const POLICY: Policy =
    Ratings::POLICY.to_builder().http2().timeout(LONG).no_health_path().forget_last_good().build_const();

fn client<S: Service>(instance: &Instance, policy: Policy) -> Client<S> {
    Client::builder().fixed([instance.address()]).policy(policy).build().unwrap()
}

type Calls = JoinSet<Result<Fetched<Rating>, Error>>;

fn cameras(client: &Client<Ratings>, count: usize) -> Calls {
    let mut calls = JoinSet::new();
    for _ in 0..count {
        let client = client.clone();
        calls.spawn(async move { camera(&client).await });
    }
    calls
}

/// All are answered, live.
async fn answered(mut calls: Calls) -> usize {
    let mut count = 0;
    while let Some(call) = timeout(LONG, calls.join_next()).await.expect("no call hangs") {
        assert!(call.unwrap().unwrap_or_else(|error| panic!("{error:?}")).is_live());
        count += 1;
    }
    count
}

async fn until_under_way(instance: &Instance, requests: usize) {
    timeout(LONG, instance.until_under_way(requests)).await.unwrap_or_else(|_| panic!("never {requests} under way"));
}

#[tokio::test]
async fn a_hundred_calls_share_a_connection() {
    let instance = Instance::start().await;
    let client = client(&instance, POLICY);
    instance.hold();
    let calls = cameras(&client, 100);
    until_under_way(&instance, 100).await;
    instance.release();
    assert_eq!(answered(calls).await, 100);
    assert_eq!(instance.connections(), 1);
    assert_settled(&client).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_thousand_first_callers_make_one_connection() {
    let instance = Instance::start().await;
    let client = client(&instance, POLICY);
    assert_eq!(answered(cameras(&client, 1000)).await, 1000);
    assert_eq!((instance.connections(), instance.requests()), (1, 1000));
    assert_settled(&client).await;
}

#[tokio::test]
async fn the_others_do_not_lose_a_connection_whose_first_caller_leaves() {
    let instance = Instance::start().await;
    let client = client(&instance, POLICY);
    let others = {
        let mut first = pin!(camera(&client));
        assert!(poll_fn(|cx| Poll::Ready(first.as_mut().poll(cx).is_pending())).await, "it connects");
        let others = cameras(&client, 10);
        tokio::task::yield_now().await;
        others
    };
    assert_eq!(answered(others).await, 10);
    assert_settled(&client).await;
}

#[tokio::test]
async fn no_more_calls_than_slots_are_under_way_and_the_others_wait() {
    let instance = Instance::start().await;
    let client = client(&instance, POLICY);
    instance.hold();
    let calls = cameras(&client, 600);
    until_under_way(&instance, 512).await;
    instance.release();
    assert_eq!(answered(calls).await, 600);
    assert_eq!((instance.most_under_way(), instance.connections()), (512, 1));
    assert_settled(&client).await;
}

#[tokio::test]
async fn a_call_that_is_dropped_ends_its_stream_only() {
    let instance = Instance::start().await;
    let client = client(&instance, POLICY);
    instance.hold();
    let mut calls = cameras(&client, 50);
    until_under_way(&instance, 50).await;
    let stays = cameras(&client, 1);
    until_under_way(&instance, 51).await;
    calls.shutdown().await;
    // One whose caller has left goes on, to find out whether the instance hangs.
    until_under_way(&instance, 2).await;
    instance.release();
    assert_eq!(answered(stays).await, 1);
    until_under_way(&instance, 0).await;
    assert_eq!(instance.connections(), 1);
    assert_settled(&client).await;
}

#[tokio::test]
async fn connections_that_are_told_to_go_away_cost_no_call() {
    let instance = Instance::restless(50).await;
    let client: Client<Orders> = client(&instance, POLICY);
    let mut callers = JoinSet::new();
    for _ in 0..16 {
        let client = client.clone();
        callers.spawn(async move {
            for _ in 0..100 {
                // Not to be repeated once the instance has looked at it.
                client.call(Order { thing: "camera".to_owned() }).await.unwrap_or_else(|error| panic!("{error:?}"));
            }
        });
    }
    while let Some(caller) = timeout(LONG, callers.join_next()).await.expect("no call hangs") {
        caller.unwrap();
    }
    assert_eq!(instance.requests(), 1600);
    assert!((10..=33).contains(&instance.connections()), "{} connections", instance.connections());
    assert_settled(&client).await;
}

#[tokio::test]
async fn what_an_instance_has_not_looked_at_goes_again_but_not_for_ever() {
    for (refusals, requests) in [(2, 1), (3, 0)] {
        let instance = Instance::refusing(refusals).await;
        let client: Client<Orders> = client(&instance, POLICY);
        let ordered = timeout(LONG, client.call(Order { thing: "camera".to_owned() })).await.expect("in time");
        let error = ordered.err().map(|error| (error.kind(), error.was_sent()));
        assert_eq!(error, (requests == 0).then_some((ErrorKind::Broken, false)));
        assert_eq!((instance.requests(), instance.connections()), (requests, 1));
        assert_settled(&client).await;
    }
}

#[tokio::test]
async fn what_waits_for_a_stream_was_not_sent() {
    let mut instance = Instance::narrow().await;
    let client: Client<Orders> = client(&instance, POLICY);
    // The other side's limit is known by then.
    client.call(Order { thing: "camera".to_owned() }).await.unwrap();
    instance.hold();
    let mut calls = JoinSet::new();
    for _ in 0..10 {
        let client = client.clone();
        calls.spawn(async move { client.call(Order { thing: "camera".to_owned() }).await.unwrap_err() });
    }
    until_under_way(&instance, 1).await;
    instance.kill().await;
    let mut sent = 0;
    while let Some(error) = timeout(LONG, calls.join_next()).await.expect("no call hangs") {
        let error = error.unwrap();
        let expected = if error.was_sent() { ErrorKind::Broken } else { ErrorKind::Refused };
        assert_eq!(error.kind(), expected, "{error:?}");
        sent += u32::from(error.was_sent());
    }
    // One that is next in the line has left our hands, and is not given back.
    assert!((1..=2).contains(&sent), "{sent} were sent");
    assert_eq!(instance.requests(), 2);
    assert_settled(&client).await;
}

#[tokio::test]
async fn a_connection_that_closed_while_idle_is_replaced_without_an_error() {
    let mut instance = Instance::start().await;
    let client: Client<Orders> = client(&instance, POLICY);
    for _ in 0..3 {
        client.call(Order { thing: "camera".to_owned() }).await.unwrap();
        instance.kill().await;
        instance.resume().await;
        // What this waits for comes after what the kernel had to tell before, and after the tasks that it woke.
        drop(TcpStream::connect(instance.socket).await.unwrap());
        tokio::task::yield_now().await;
    }
    assert_eq!(instance.requests(), 3);
    assert_settled(&client).await;
}

#[test]
fn a_call_outlives_the_runtime_in_which_its_connection_was_made() {
    let server = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let runtime = || Builder::new_current_thread().enable_all().build().unwrap();
    let instance = server.block_on(Instance::start());
    let client: Client<Orders> = runtime().block_on(async { client(&instance, POLICY) });
    for connections in 1..=3 {
        runtime().block_on(async {
            let ordered = timeout(LONG, client.call(Order { thing: "camera".to_owned() })).await;
            assert!(ordered.expect("no call hangs").unwrap().is_live());
            assert_settled(&client).await;
        });
        assert_eq!(instance.connections(), connections);
    }
}

#[test]
fn a_runtime_that_stands_still_holds_up_no_call_of_another() {
    let own = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let other = Builder::new_current_thread().enable_all().build().unwrap();
    let instance = own.block_on(Instance::start());
    let client: Client<Orders> = own.block_on(async { client(&instance, POLICY) });
    for runtime in [&other, &own, &other, &own] {
        let ordered = async { timeout(LONG / 2, client.call(Order { thing: "camera".to_owned() })).await };
        assert!(runtime.block_on(ordered).expect("no call hangs").unwrap().is_live());
    }
    assert_eq!(instance.connections(), 2);
    own.block_on(assert_settled(&client));
}

#[tokio::test]
async fn a_killed_instance_breaks_its_calls_and_is_called_again_when_it_is_back() {
    let mut instance = Instance::start().await;
    let policy = Ratings::POLICY.to_builder().http2().retest_delay(Duration::from_millis(10)).forget_last_good();
    let client = client(&instance, policy.build_const());
    let mut events = client.events();
    instance.hold();
    let mut calls = cameras(&client, 10);
    until_under_way(&instance, 10).await;
    instance.kill().await;
    while let Some(call) = timeout(LONG, calls.join_next()).await.expect("no call hangs") {
        let error = call.unwrap().unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Broken | ErrorKind::Refused), "{error:?}");
        assert!(error.was_sent());
    }
    assert_ne!(breaker(&client, 1), BreakerState::Closed);
    instance.release();
    instance.resume().await;
    // The probe speaks HTTP/2 as well: nothing else is understood here.
    let closed = async { while !matches!(events.next().await.unwrap().kind, EventKind::Close { .. }) {} };
    timeout(LONG, closed).await.expect("a probe closes the breaker");
    assert!(camera(&client).await.unwrap().is_live());
    assert_settled(&client).await;
}

#[tokio::test]
async fn timeouts_on_a_connection_that_stands_open_the_breaker() {
    let instance = Instance::start().await;
    let policy = POLICY.to_builder().timeout(Duration::from_millis(100)).failure_limit(2).build_const();
    let client = client(&instance, policy);
    assert!(camera(&client).await.unwrap().is_live());
    instance.hold();
    for kind in [ErrorKind::Timeout, ErrorKind::Timeout, ErrorKind::AllOpen] {
        assert_eq!(camera(&client).await.unwrap_err().kind(), kind);
    }
    assert_eq!((instance.connections(), breaker(&client, 1)), (1, BreakerState::Open));
    assert_settled(&client).await;
}

#[tokio::test]
async fn who_speaks_http1_only_is_a_broken_connection() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let mut server = JoinSet::new();
    server.spawn(async move { axum::serve(listener, axum::Router::new()).await.unwrap() });
    let client = Client::<Ratings>::builder().fixed([address.into()]).policy(POLICY).build().unwrap();
    let error = timeout(LONG, camera(&client)).await.expect("in time").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Broken, "{error:?}");
}

#[tokio::test(start_paused = true)]
async fn a_simulated_network_answers_whatever_the_policy_says() {
    let network = Network::new();
    let instance = network.instance("10.0.0.1:80", |_| Answer::ok(RATING));
    let client = Client::builder().fixed([instance.address()]).network(network).policy(POLICY).build().unwrap();
    assert!(camera(&client).await.unwrap().is_live());
}
