//! Asking many: every kind of leg, every kind of end, under paused time.

mod model;

use std::future::IntoFuture as _;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use http::StatusCode;
use mainstay::contracts::bidding::{Ask, Bidding, Offer};
use mainstay::contracts::ratings::{GetRating, Ratings};
use mainstay::gather::{Gathered, Gathering, Leg, Legs, Outcome};
use mainstay::testing::{Answer, Network, SimulatedInstance, assert_settled};
use mainstay::{BreakerState, Client, Completion, ErrorKind, Instance, Policy, Service};
use parking_lot::Mutex;
use tokio::runtime::Handle;
use tokio::time::{Instant, sleep, timeout};

use crate::common::{RATING, camera, client as ratings_client, turns};

const SECOND: Duration = Duration::from_secs(1);

type Bids = Gathered<Arc<Instance>, u64>;

fn bid(amount: u64) -> Answer {
    Answer::ok(format!(r#"{{"Bid":{amount}}}"#))
}

/// Bidder N answers the Nth of these.
fn bidders(answers: impl IntoIterator<Item = Answer>) -> (Vec<SimulatedInstance>, Client<Bidding>) {
    bidders_by(answers, Bidding::POLICY)
}

fn bidders_by(answers: impl IntoIterator<Item = Answer>, policy: Policy) -> (Vec<SimulatedInstance>, Client<Bidding>) {
    let network = Network::new();
    let instance = |(number, answer): (u32, Answer)| {
        let health = Answer::ok("{}");
        let address = format!("10.0.{}.{}:80/bidders/bidder{number}", number / 250, number % 250);
        network.instance(&address, move |path| if path.ends_with("/health") { health.clone() } else { answer.clone() })
    };
    let instances: Vec<_> = (1..).zip(answers).map(instance).collect();
    let addresses = instances.iter().map(SimulatedInstance::address);
    let client = Client::builder().fixed(addresses).network(network.clone()).policy(policy).build().unwrap();
    (instances, client)
}

async fn auction(client: &Client<Bidding>) -> Bids {
    client.gather(Ask::new("car", "good")).judge(Offer::bid).await.unwrap()
}

async fn started(client: &Client<Bidding>, completion: Completion) -> Gathering<Arc<Instance>, u64> {
    client.gather(Ask::new("car", "good")).judge(Offer::bid).complete(completion).start().await.unwrap()
}

fn names<K, T>(gathered: &Gathered<K, T>) -> Vec<&'static str> {
    gathered.legs().iter().map(|leg| leg.outcome.name()).collect()
}

fn winner(bids: &Bids) -> Option<(u32, u64)> {
    bids.highest(|bid| *bid).map(|(bidder, bid)| (bidder.number, bid.value))
}

#[tokio::test(start_paused = true)]
async fn every_leg_ends_in_an_outcome_of_its_own_in_order() {
    let refusal = Answer::ok(r#"{"reason":"no cars"}"#).with_status(StatusCode::NOT_FOUND);
    let (instances, client) = bidders([
        bid(350_000).after(Duration::from_millis(30)),
        refusal,
        Answer::ok(r#"{"Bid":"470000"}"#),
        Answer::ok("not JSON"),
        Answer::status(StatusCode::INTERNAL_SERVER_ERROR),
        bid(440_000).after(2 * SECOND),
        bid(990_000),
        bid(440_000),
        Answer::ok(r#"{"Bid":null}"#),
        Answer::status(StatusCode::NO_CONTENT),
        Answer::ok(vec![b' '; 2 * 1024 * 1024]),
    ]);
    instances[6].kill();
    let bids = auction(&client).await;

    let expected = [
        ("answered", "answered"),
        ("declined", "declined: no cars"),
        ("rejected", "rejected: the bid is a text, not a number"),
        ("rejected", "rejected: answer is not what the contract says: expected ident at line 1 column 2"),
        ("failed", "failed: status 500"),
        ("timed-out", "timed out"),
        ("refused", "refused"),
        ("answered", "answered"),
        ("declined", "declined"),
        ("declined", "declined"),
        ("rejected", "rejected: answer is not what the contract says: answer larger than 16384 bytes"),
    ];
    for (leg, (name, words)) in bids.legs().iter().zip(expected) {
        assert_eq!((leg.outcome.name(), leg.outcome.to_string().as_str()), (name, words), "bidder {}", leg.key.number);
    }
    assert!(bids.legs().iter().map(|leg| leg.key.number).eq(1..=11));
    assert_eq!((winner(&bids), bids.elapsed, bids.is_complete()), (Some((8, 440_000)), SECOND, false));
    assert_eq!(bids.legs()[0].at, Duration::from_millis(30));
    assert_eq!(bids.to_string(), "2 of 11 within 1000 ms");
    assert_eq!(bids.legs()[6].outcome.error().unwrap().instance().unwrap().number, 7);

    let open = client.snapshot().instances.into_iter().filter(|view| view.breaker.state == BreakerState::Open);
    let open: Vec<_> = open.map(|view| view.instance.number).collect();
    assert_eq!(open, [4, 5, 6, 7, 11], "what a judge rejects is an answer; what does not decode is a failure");
    assert_settled(&client).await;
}

#[tokio::test(start_paused = true)]
async fn a_hung_instance_costs_the_deadline_once() {
    let (instances, client) = bidders([bid(50), bid(10), bid(100)]);
    let mut events = client.events();
    assert_eq!(winner(&auction(&client).await), Some((3, 100)));

    instances[2].pause();
    let bids = auction(&client).await;
    assert_eq!((names(&bids), winner(&bids)), (vec!["answered", "answered", "timed-out"], Some((1, 50))));
    assert_eq!(bids.elapsed, SECOND);

    let bids = auction(&client).await;
    assert_eq!((names(&bids), winner(&bids)), (vec!["answered", "answered", "skipped"], Some((1, 50))));
    assert_eq!(bids.elapsed, Duration::ZERO);
    let skipped = &bids.legs()[2].outcome;
    assert_eq!(skipped.to_string(), "skipped, breaker open");
    assert_eq!(skipped.error().unwrap().retry_after(), Some(Duration::from_secs(30)));
    let calls = client.snapshot().instances[2].calls;
    assert_eq!((calls.ok, calls.timed_out, calls.skipped), (1, 1, 1));

    instances[2].resume();
    sleep(Duration::from_secs(31)).await;
    assert_eq!(turns(&mut events).await, ["OPEN 3", "RETEST 3", "CLOSE 3"]);
    assert_eq!(winner(&auction(&client).await), Some((3, 100)));
    assert_settled(&client).await;
}

#[tokio::test(start_paused = true)]
async fn a_hundred_legs_with_five_dead_and_five_hung_are_ninety_answers_at_the_deadline() {
    let (instances, client) = bidders((1..=100).map(bid));
    for number in 0..5 {
        instances[number * 20].kill();
        instances[number * 20 + 1].pause();
    }
    let began = Instant::now();
    let bids = auction(&client).await;
    assert_eq!((bids.answers().count(), began.elapsed()), (90, SECOND));
    assert_eq!(bids.to_string(), "90 of 100 within 1000 ms");
    assert_eq!(names(&bids).iter().filter(|name| **name == "refused").count(), 5);
    let bids = auction(&client).await;
    assert_eq!((bids.answers().count(), bids.elapsed), (90, Duration::ZERO), "the second one waits for nobody");
    assert_settled(&client).await;
}

#[tokio::test(start_paused = true)]
async fn a_gather_is_complete_when_enough_have_answered() {
    let slow = |tenths: u64| bid(tenths).after(Duration::from_millis(100 * tenths));
    let refusing = || Answer::status(StatusCode::NOT_FOUND);
    for (completion, ends, complete, expected) in [
        (Completion::All, 400, false, ["answered", "answered", "declined", "answered"]),
        (Completion::First(2), 200, true, ["answered", "answered", "declined", "cancelled"]),
        (Completion::First(9), 400, false, ["answered", "answered", "declined", "answered"]),
        (Completion::First(0), 0, true, ["cancelled", "cancelled", "cancelled", "cancelled"]),
        (Completion::Quorum(1), 100, true, ["answered", "cancelled", "declined", "cancelled"]),
        (Completion::Quorum(3), 400, true, ["answered", "answered", "declined", "answered"]),
        // Once one of four has declined, four cannot be had.
        (Completion::Quorum(4), 0, false, ["cancelled", "cancelled", "declined", "cancelled"]),
        (Completion::Quorum(5), 0, false, ["cancelled", "cancelled", "cancelled", "cancelled"]),
        (Completion::Majority, 400, true, ["answered", "answered", "declined", "answered"]),
    ] {
        let (_instances, client) = bidders([slow(1), slow(2), refusing(), slow(4)]);
        let bids = started(&client, completion).await.whole().await;
        assert_eq!(names(&bids), expected, "{completion:?}");
        assert_eq!((bids.elapsed.as_millis(), bids.is_complete()), (ends, complete), "{completion:?}");
        assert_settled(&client).await;
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_set_before_the_judge_holds_after_it() {
    let (_instances, client) = bidders([bid(1), bid(2).after(SECOND / 2)]);
    let asked = client.gather(Ask::new("car", "good")).complete(Completion::First(1)).deadline(SECOND / 4);
    let bids = asked.judge(Offer::bid).await.unwrap();
    assert_eq!((bids.completion, bids.deadline), (Completion::First(1), SECOND / 4));
    assert_eq!(names(&bids), ["answered", "cancelled"]);
    assert_settled(&client).await;
}

#[tokio::test(start_paused = true)]
async fn no_gather_may_take_longer_than_an_hour() {
    let (_instances, client) = bidders([bid(1)]);
    for (asked, given) in [(Duration::MAX, 3600 * SECOND), (3599 * SECOND, 3599 * SECOND)] {
        let under_way = client.gather(Ask::new("car", "good")).deadline(asked).start().await.unwrap();
        assert_eq!(under_way.deadline(), given);
        assert_eq!(under_way.whole().await.deadline, given);
    }
    assert_settled(&client).await;
}

#[tokio::test(start_paused = true)]
async fn a_leg_that_is_cut_off_is_judged_when_its_instance_had_its_time() {
    let (instances, client) = bidders([bid(1), bid(2).after(Duration::from_millis(700))]);
    instances[0].pause();
    let mut events = client.events();
    let began = Instant::now();
    for deadline in [500, 100].map(Duration::from_millis) {
        let bids = client.gather(Ask::new("car", "good")).deadline(deadline).await.unwrap();
        assert_eq!((names(&bids), bids.elapsed), (vec!["timed-out"; 2], deadline));
    }
    assert_eq!(turns(&mut events).await, Vec::<String>::new(), "neither had its second yet");
    let open = timeout(SECOND, events.next()).await.unwrap().unwrap();
    assert!(open.to_string().starts_with("OPEN"), "{open}");
    assert_eq!(began.elapsed(), SECOND, "the first leg's time is over");
    assert_settled(&client).await;

    let [hung, slow] = client.snapshot().instances.try_into().unwrap();
    assert_eq!((hung.calls.left_behind, hung.permits.timeout, hung.permits.cancelled), (1, 1, 1), "never two at once");
    assert_eq!((slow.calls.left_behind, slow.permits.success, slow.permits.cancelled), (1, 1, 1));
    assert_eq!(slow.breaker.state, BreakerState::Closed, "slow is not hung");
    assert_eq!((hung.calls.failed, slow.calls.ok), (0, 0), "whoever asked had no answer of either kind");
}

#[tokio::test(start_paused = true)]
async fn a_gather_that_is_dropped_leaves_nothing() {
    // A breaker that does not open: the hung one is asked every time.
    let policy = Bidding::POLICY.to_builder().failure_limit(u32::MAX).build().unwrap();
    let (instances, client) = bidders_by([bid(1), bid(2).after(Duration::from_millis(700)), bid(3)], policy);
    auction(&client).await;
    instances[0].pause();
    sleep(Duration::from_secs(10)).await;
    let tasks = Handle::current().metrics().num_alive_tasks();
    for round in 0..50 {
        let mut whole = client.gather(Ask::new("car", "good")).into_future();
        for _ in 0..=round {
            // As often as it takes to stop at every place where it can.
            assert!(futures_util::poll!(whole.as_mut()).is_pending());
            tokio::task::yield_now().await;
        }
        drop(whole);
        let mut gathering = client.gather(Ask::new("car", "good")).start().await.unwrap();
        for _ in 0..round % 3 {
            let _ = timeout(Duration::from_millis(1), gathering.next()).await;
        }
        drop(gathering);
        drop(client.gather(Ask::new("car", "good")).start());
    }
    assert_settled(&client).await;
    let counts = client.snapshot().instances[0].permits;
    assert!(counts.timeout > 0 && counts.cancelled > counts.timeout, "{counts:?}");
    // A paused process does not see that its connections were closed.
    instances[0].resume();
    sleep(SECOND).await;
    assert!(Handle::current().metrics().num_alive_tasks() <= tasks, "no task is left");
    let connections: Vec<_> = instances.iter().map(SimulatedInstance::connections).collect();
    // One for whoever asked, and one for the attempt that was left behind meanwhile.
    assert!(connections.iter().all(|open| *open <= 2), "connections are left: {connections:?}");
}

#[tokio::test(start_paused = true)]
async fn five_thousand_gathers_leave_nothing() {
    gathers_leave_nothing(5_000).await;
}

#[tokio::test(start_paused = true)]
#[ignore = "takes most of a minute"]
async fn a_hundred_thousand_gathers_leave_nothing() {
    gathers_leave_nothing(100_000).await;
}

/// Each has three legs: one answers, one slowly, and one comes and goes.
async fn gathers_leave_nothing(count: u32) {
    let policy = Bidding::POLICY.to_builder().retest_delay(SECOND).build().unwrap();
    let slow = Duration::from_millis(20);
    let (instances, client) = bidders_by([bid(1), bid(2).after(slow), bid(3)], policy);
    auction(&client).await;
    let tasks = Handle::current().metrics().num_alive_tasks();
    let mut answers = 0;
    for round in 0..count {
        match round % 2000 {
            500 => instances[2].pause(),
            1000 => instances[2].kill(),
            1500 => instances[2].resume(),
            _ => {}
        }
        let gather = client.gather(Ask::new("car", "good")).deadline(Duration::from_millis(10 + u64::from(round % 20)));
        match round % 4 {
            0 => answers += gather.await.unwrap().answers().count(),
            1 => answers += gather.complete(Completion::First(1)).await.unwrap().answers().count(),
            2 => drop(gather.start().await.unwrap().next().await),
            _ => drop(timeout(Duration::from_millis(1), gather.into_future()).await),
        }
    }
    assert!(answers > count as usize / 2, "{answers} answers");
    instances[2].resume();
    sleep(Duration::from_secs(5)).await;
    assert_settled(&client).await;
    let snapshot = client.snapshot();
    assert!(snapshot.instances.iter().all(|view| view.breaker.state == BreakerState::Closed));
    assert!(snapshot.instances[2].permits.timeout > 0 && snapshot.instances[2].permits.failure > 0);
    assert!(snapshot.instances.iter().all(|view| view.calls.in_flight == 0));
    let connections: Vec<_> = instances.iter().map(SimulatedInstance::connections).collect();
    assert!(connections.iter().all(|open| *open <= 2), "connections are left: {connections:?}");
    let left = Handle::current().metrics().num_alive_tasks();
    // A task on each side of every idle connection.
    assert!(left <= tasks + 6, "{left} tasks, {tasks} at first");
}

#[tokio::test(start_paused = true)]
async fn more_legs_than_may_be_under_way_are_all_asked() {
    let (instances, client) = bidders((1..=1200).map(|amount| bid(amount).after(Duration::from_millis(10))));
    let bids = auction(&client).await;
    assert_eq!((bids.answers().count(), winner(&bids)), (1200, Some((1200, 1200))));
    assert_eq!(bids.elapsed, Duration::from_millis(30), "512 at once, three times over");
    assert!(instances.iter().all(|instance| instance.requests() == 1));
    assert_settled(&client).await;
}

#[tokio::test(start_paused = true)]
async fn of_equal_bids_the_earlier_number_wins() {
    for bids in [[9, 9, 9], [7, 9, 9], [9, 7, 9]] {
        // The later numbers answer first.
        let answer = |(place, amount): (u64, u64)| bid(amount).after(Duration::from_millis(100 - place));
        let (_instances, client) = bidders((0..).zip(bids).map(answer));
        let earliest = bids.iter().position(|amount| *amount == 9).unwrap();
        let gathered = auction(&client).await;
        assert_eq!(winner(&gathered), Some((earliest as u32 + 1, 9)), "{bids:?}");
        let lowest = gathered.lowest(|bid| *bid).map(|(bidder, _)| bidder.number as usize - 1);
        assert_eq!(lowest, (0..3).min_by_key(|place| bids[*place]), "{bids:?}");
        assert_settled(&client).await;
    }
}

#[tokio::test(start_paused = true)]
async fn legs_come_as_they_arrive_and_stand_in_their_order() {
    let (instances, client) = bidders([bid(1).after(Duration::from_millis(300)), bid(2), bid(3)]);
    instances[1].pause();
    let mut gathering = started(&client, Completion::All).await;
    let mut arrived = Vec::new();
    while let Some(leg) = gathering.next().await {
        arrived.push((leg.key.number, leg.outcome.name(), leg.at.as_millis()));
    }
    assert_eq!(arrived, [(3, "answered", 0), (1, "answered", 300), (2, "timed-out", 1000)]);
    let bids = gathering.whole().await;
    assert_eq!(names(&bids), ["answered", "timed-out", "answered"]);

    let mut stream = started(&client, Completion::First(1)).await.into_stream();
    let mut arrived = Vec::new();
    while let Some(leg) = stream.next().await {
        arrived.push((leg.key.number, leg.outcome.name()));
    }
    assert_eq!(arrived, [(2, "skipped"), (3, "answered"), (1, "cancelled")]);
    assert_settled(&client).await;
}

#[tokio::test(start_paused = true)]
async fn a_slow_reader_holds_no_leg_up() {
    let (_instances, client) = bidders([bid(1), bid(2).after(Duration::from_millis(300)), bid(3)]);
    let gathering = started(&client, Completion::All).await;
    sleep(Duration::from_secs(10)).await;
    assert_settled(&client).await;
    let bids = gathering.whole().await;
    assert_eq!((bids.answers().count(), bids.elapsed), (3, Duration::from_millis(300)));

    let mut gathering = started(&client, Completion::First(1)).await;
    assert_eq!(gathering.next().await.unwrap().outcome.name(), "answered");
    sleep(Duration::from_secs(10)).await;
    assert_settled(&client).await;
    let bids = gathering.whole().await;
    assert_eq!((bids.answers().count(), bids.elapsed), (1, Duration::ZERO), "it was complete then, and not now");

    let gathering = started(&client, Completion::First(1)).await;
    sleep(Duration::from_secs(10)).await;
    let bids = gathering.stop();
    assert_eq!((bids.answers().count(), bids.elapsed), (1, Duration::ZERO), "to stop what is over changes nothing");
    assert_settled(&client).await;
}

#[tokio::test(start_paused = true)]
async fn a_gather_is_stopped_with_what_is_there() {
    let (instances, client) = bidders([bid(1), bid(2).after(Duration::from_millis(300)), bid(3)]);
    instances[2].pause();
    let mut gathering = started(&client, Completion::All).await;
    assert_eq!(gathering.next().await.unwrap().key.number, 1);
    assert_eq!(gathering.keys().map(|bidder| bidder.number).collect::<Vec<_>>(), [1, 2, 3]);
    sleep(Duration::from_millis(500)).await;
    let bids = gathering.stop();
    assert_eq!(names(&bids), ["answered", "answered", "cancelled"]);
    assert_eq!((bids.elapsed, bids.is_complete()), (Duration::from_millis(500), false));
    let second = &bids.legs()[1];
    assert_eq!(bids.leg(&second.key).unwrap().at, Duration::from_millis(300));
    assert_settled(&client).await;
    assert_eq!(client.snapshot().instances[2].breaker.state, BreakerState::Open, "the verdict came all the same");
}

#[tokio::test(start_paused = true)]
async fn a_judge_that_panics_is_heard_of() {
    let (_instances, client) = bidders([bid(1)]);
    let judge = |_| -> Result<Option<u64>, String> { panic!("no judge") };
    let gathering = client.gather(Ask::new("car", "good")).judge(judge).start().await.unwrap();
    let panic = tokio::spawn(gathering.whole()).await.unwrap_err().into_panic();
    assert_eq!(panic.downcast_ref::<&str>(), Some(&"no judge"));
    assert_settled(&client).await;
}

#[tokio::test(start_paused = true)]
async fn an_instance_that_goes_in_between_ends_its_leg_and_no_other() {
    let slow = Duration::from_millis(300);
    let (instances, client) = bidders([bid(1).after(slow), bid(2).after(slow)]);
    let mut gathering = started(&client, Completion::All).await;
    sleep(Duration::from_millis(100)).await;
    instances[0].kill();
    let gone = gathering.next().await.unwrap();
    assert_eq!((gone.key.number, gone.outcome.name(), gone.at.as_millis()), (1, "failed", 100));
    assert_eq!(names(&gathering.whole().await), ["failed", "answered"]);
    assert_settled(&client).await;
}

#[tokio::test(start_paused = true)]
async fn bidders_of_one_port_are_told_apart_by_their_path() {
    let network = Network::new();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let bidder = |number: u64| {
        let seen = Arc::clone(&seen);
        network.instance(&format!("10.0.0.1:9091/bidders/bidder{number}"), move |path| {
            seen.lock().push(path.to_owned());
            if path.ends_with("/health") { Answer::ok("{}") } else { bid(number) }
        })
    };
    let instances: Vec<_> = (1..=2).map(bidder).collect();
    let addresses = instances.iter().map(SimulatedInstance::address);
    let client = Client::<Bidding>::builder().fixed(addresses).network(network.clone()).build().unwrap();
    assert_eq!(winner(&auction(&client).await), Some((2, 2)));
    instances[1].kill();
    assert_eq!(names(&auction(&client).await), ["answered", "refused"]);
    assert_eq!(names(&auction(&client).await), ["answered", "skipped"], "each has a breaker of its own");
    instances[1].resume();
    sleep(Duration::from_secs(31)).await;
    assert_eq!(winner(&auction(&client).await), Some((2, 2)));
    assert_settled(&client).await;
    let mut seen = std::mem::take(&mut *seen.lock());
    seen.sort();
    seen.dedup();
    assert_eq!(seen, ["/bidders/bidder1", "/bidders/bidder2", "/bidders/bidder2/health"]);
}

#[tokio::test(start_paused = true)]
async fn a_wait_for_the_next_leg_may_be_given_up() {
    let (_instances, client) =
        bidders([bid(1).after(Duration::from_millis(30)), bid(2).after(Duration::from_millis(60))]);
    let mut gathering = started(&client, Completion::All).await;
    let mut given_up = 0;
    let mut arrived = Vec::new();
    loop {
        match timeout(Duration::from_millis(1), pin!(gathering.next())).await {
            Ok(Some(leg)) => arrived.push((leg.key.number, leg.at.as_millis())),
            Ok(None) => break,
            Err(_) => given_up += 1,
        }
    }
    assert!(given_up > 50);
    assert_eq!(arrived, [(1, 30), (2, 60)]);
    assert_settled(&client).await;
}

#[tokio::test(start_paused = true)]
async fn with_nobody_to_ask_the_error_says_so() {
    let (_, client) = bidders([]);
    let error = client.gather(Ask::new("car", "good")).await.unwrap_err();
    assert_eq!((error.kind(), error.is_down()), (ErrorKind::NoInstance, true));

    let (_instances, client) = bidders([bid(1)]);
    let bids = client.gather(Ask::new("car", "good")).deadline(Duration::ZERO).await.unwrap();
    assert_eq!(names(&bids), ["timed-out"], "with no time, nobody is asked");
    assert_eq!(bids.legs()[0].outcome.error().unwrap().attempts(), 0);
    assert_eq!(client.snapshot().instances[0].permits.issued, 0);

    let none: [(u8, Ask); 0] = [];
    let bids = client.gather_calls(none).await.unwrap();
    assert_eq!((bids.legs().len(), bids.is_complete()), (0, true), "no calls are all made");
    assert_settled(&client).await;
}

#[tokio::test(start_paused = true)]
async fn a_half_open_breaker_admits_one_leg_as_its_probe() {
    let policy = Bidding::POLICY.to_builder().no_health_path().build().unwrap();
    let (instances, client) = bidders_by([bid(1).after(Duration::from_millis(100))], policy);
    instances[0].kill();
    assert_eq!(names(&auction(&client).await), ["refused"]);
    instances[0].resume();
    sleep(Duration::from_secs(31)).await;
    let (first, second) = tokio::join!(auction(&client), auction(&client));
    assert_eq!((names(&first), names(&second)), (vec!["answered"], vec!["skipped"]));
    assert_settled(&client).await;
}

#[tokio::test(start_paused = true)]
async fn calls_are_legs_too_each_under_its_key() {
    let network = Network::new();
    let instances: Vec<_> =
        (1..=2).map(|number| network.instance(&format!("10.0.0.{number}:80"), |_| Answer::ok(RATING))).collect();
    let client = ratings_client(&network, &instances, Ratings::POLICY);
    let page = || client.gather_calls(["a", "b", "c", "d"].map(|thing| (thing, GetRating::new(thing))));

    let ratings = page().await.unwrap();
    assert!(ratings.legs().iter().map(|leg| leg.key).eq(["a", "b", "c", "d"]));
    assert!(ratings.is_complete() && ratings.answers().all(|(_, fetched)| fetched.is_live()));
    assert_eq!(instances.iter().map(SimulatedInstance::requests).collect::<Vec<_>>(), [2, 2]);

    instances[0].pause();
    let ratings = page().await.unwrap();
    let last_good: Vec<_> = ratings.legs().iter().filter(|leg| leg.outcome.to_string() == "last good").collect();
    assert_eq!((ratings.answers().count(), last_good.len(), ratings.elapsed), (4, 2, SECOND));

    instances[1].kill();
    assert!(camera(&client).await.is_err(), "the camera was never asked for");
    let ratings = client.gather_calls([(1, GetRating::new("camera")), (2, GetRating::new(""))]).await.unwrap();
    assert_eq!(names(&ratings), ["skipped", "failed"]);
    assert_eq!(ratings.legs()[1].outcome.error().unwrap().kind(), ErrorKind::BadCall);
    assert_settled(&client).await;
}

#[tokio::test(start_paused = true)]
async fn somebody_elses_words_are_made_harmless() {
    let controls = Answer::ok(r#"{"reason":"\u001b[31mred\nnew line\u202eenil"}"#).with_status(StatusCode::FORBIDDEN);
    let (_instances, client) = bidders([controls]);
    let declined = auction(&client).await.into_legs().remove(0).outcome;
    assert_eq!(declined.to_string(), "declined: \u{fffd}[31mred\u{fffd}new line\u{fffd}enil");
    assert_eq!(declined.error().unwrap().status(), Some(StatusCode::FORBIDDEN));

    let long = format!(r#"{{"reason":"{}"}}"#, "ä".repeat(100_000));
    let text = format!(r#""{}""#, "x".repeat(100_000));
    let (_instances, client) = bidders([Answer::ok(long).with_status(StatusCode::BAD_REQUEST), Answer::ok(text)]);
    for leg in auction(&client).await.legs() {
        assert!(leg.outcome.to_string().chars().count() < 250, "{}", leg.outcome);
    }
    let ratings = ratings_client_of_text();
    let rated = ratings.gather(GetRating::new("camera")).await.unwrap();
    assert_eq!(rated.legs()[0].outcome.name(), "rejected");
    assert!(rated.legs()[0].outcome.to_string().chars().count() < 250);
    assert_settled(&client).await;
    assert_settled(&ratings).await;
}

/// Its one instance answers with a long text in place of a rating.
fn ratings_client_of_text() -> Client<Ratings> {
    let network = Network::new();
    let body = format!(r#"{{"thing":"camera","rating":"{}"}}"#, "x".repeat(100_000));
    let instance = network.instance("10.0.0.1:80", move |_| Answer::ok(body.clone()));
    ratings_client(&network, &[instance], Ratings::POLICY)
}

#[test]
fn a_gather_can_be_sent_to_another_thread() {
    fn sent<T: Send>(_: &T) {}
    let check = |client: Client<Bidding>| {
        sent(&client.gather(Ask::new("car", "good")));
        sent(&client.gather(Ask::new("car", "good")).into_future());
        sent(&started(&client, Completion::All));
    };
    let _ = check;
    fn shared<T: Send + Sync + Unpin>() {}
    shared::<Gathered<u8, u8>>();
    shared::<Leg<u8, u8>>();
    shared::<Outcome<u8>>();
    sent::<Option<Legs<u8, u8>>>(&None);
}
