//! How an auction ends: with all, with the first, with a quorum, at the deadline, or with nobody.

use std::time::Duration;

use auction::Terms;
use auction::bidder::Bidder;
use mainstay::BreakerState;
use mainstay::contracts::bidding::Ask;
use serde_json::json;

use crate::support::{House, behaves, free_port, pays};

#[tokio::test]
async fn the_detail_tells_every_leg() {
    let (house, bidders) = House::usual().await;
    let _more = house.bidders([behaves(4, r#"says={"Bid":"1"}"#), behaves(5, "fails")]).await;
    let answer = house.auction("good", "?detail=true&deadline_ms=900").await;
    assert_eq!(answer.status, 200);
    assert!(answer.text.starts_with(r#"{"Bidder Name":"Bidder 2","Bid":470000,"Summary":"#), "{}", answer.text);
    assert_eq!(answer.body["Summary"], "3 of 5 within 900 ms");
    assert_eq!(answer.body["Deadline ms"], 900);
    assert!(answer.body["Elapsed ms"].as_u64().unwrap() <= 900);
    assert_eq!(
        answer.body["Ranking"],
        json!([
            { "Bidder Name": "Bidder 2", "Bid": 470_000 },
            { "Bidder Name": "Bidder 3", "Bid": 440_000 },
            { "Bidder Name": "Bidder 1", "Bid": 350_000 },
        ])
    );
    let mut legs = answer.body["Legs"].clone();
    for leg in legs.as_array_mut().unwrap() {
        assert!(leg["Elapsed ms"].take().is_u64(), "{leg}");
    }
    let address = |number| format!("http://{}/bidders/bidder{number}", bidders.address);
    let leg = |number, bid, rank, why| {
        json!({
            "Bidder Name": format!("Bidder {number}"), "Number": number, "Address": address(number), "Outcome": "bid",
            "Bid": bid, "Rank": rank, "Why": why, "Elapsed ms": null
        })
    };
    assert_eq!(legs[0], leg(1, 350_000, 3, "Bidder 2 bid 470000"));
    assert_eq!(legs[1], leg(2, 470_000, 1, "won"));
    assert_eq!(legs[2], leg(3, 440_000, 2, "Bidder 2 bid 470000"));
    for (at, outcome, why) in
        [(3, "rejected", "rejected: the bid is a text, not a number"), (4, "failed", "failed: status 500")]
    {
        assert_eq!((&legs[at]["Outcome"], &legs[at]["Why"]), (&json!(outcome), &json!(why)));
        assert!(legs[at].get("Bid").is_none() && legs[at].get("Rank").is_none());
    }

    let answer = house.auction("medium", "?detail=true").await;
    assert_eq!(answer.status, 404);
    assert!(answer.text.starts_with(r#"{"Message":"nobody bids: 3 declined, 1 rejected, 1 skipped","Summary":"#));
    assert_eq!((&answer.body["Ranking"], &answer.body["Summary"]), (&json!([]), &json!("0 of 5 within 1000 ms")));
    house.close().await;
}

#[tokio::test]
async fn a_hung_bidder_costs_one_auction_its_deadline_and_the_next_one_nothing() {
    let (house, _bidders) = House::usual().await;
    let _hung = house.bidders([behaves(4, "silent")]).await;
    let first = house.auction("good", "?detail=true").await;
    assert_eq!((first.status, &first.body["Bidder Name"]), (200, &json!("Bidder 2")));
    assert_eq!(first.legs(), ["1 bid", "2 bid", "3 bid", "4 timed-out"]);
    let next = house.auction("good", "?detail=true").await;
    assert_eq!(next.legs(), ["1 bid", "2 bid", "3 bid", "4 skipped"]);
    assert_eq!(next.body["Legs"][3]["Why"], "skipped, breaker open");
    house.close().await;
}

#[tokio::test]
async fn a_bid_that_comes_too_late_is_none() {
    let (house, _bidders) = House::usual().await;
    let _late = house.bidders([Bidder { delay: Duration::from_millis(700), ..Bidder::new(4) }]).await;
    let early = house.auction("good", "?detail=true&deadline_ms=500").await;
    assert_eq!(
        (&early.body["Bidder Name"], &early.body["Legs"][3]["Outcome"]),
        (&json!("Bidder 2"), &"timed-out".into())
    );
    let patient = house.auction("good", "").await;
    assert_eq!(patient.body, json!({ "Bidder Name": "Bidder 4", "Bid": 480_000 }), "impatience is not its fault");
    house.close().await;
}

#[tokio::test]
async fn the_first_bids_may_be_enough() {
    let house = House::open().await;
    let _bidders = house.bidders([pays(1, 10), pays(2, 20), behaves(3, "silent"), behaves(4, "silent")]).await;
    let answer = house.auction("good", "?detail=true&first=2").await;
    assert_eq!((answer.status, &answer.body["Bid"]), (200, &json!(20)));
    assert_eq!(answer.legs(), ["1 bid", "2 bid", "3 cancelled", "4 cancelled"]);
    assert_eq!(answer.body["Summary"], "2 of 4 within 1000 ms");

    let answer = house.auction("good", "?detail=true&first=3&deadline_ms=400").await;
    assert_eq!((answer.status, &answer.body["Bid"]), (200, &json!(20)), "the deadline ends it with what is there");
    house.close().await;
}

#[tokio::test]
async fn without_its_quorum_nobody_wins() {
    let house = House::open().await;
    let _bidders = house.bidders([pays(1, 10), pays(2, 20), behaves(3, "fails"), behaves(4, "says={}")]).await;
    for (query, status) in
        [("quorum=1", 200), ("quorum=2", 200), ("quorum=3", 503), ("quorum=majority", 503), ("quorum=1000", 503)]
    {
        let answer = house.auction("good", &format!("?detail=true&{query}")).await;
        assert_eq!(answer.status, status, "{query}");
        if status == 200 {
            assert!(answer.body["Bid"].is_u64(), "{query}: {answer:?}");
            continue;
        }
        assert!(answer.message().starts_with("no quorum: "), "{query}: {answer:?}");
        assert!(answer.body.get("Bid").is_none(), "{query}: {answer:?}");
        for leg in answer.body["Legs"].as_array().unwrap() {
            assert_ne!(leg["Why"], "won", "{query}");
        }
    }
    house.close().await;
}

#[tokio::test]
async fn a_quorum_does_not_hide_that_nobody_bids_or_can_be_reached() {
    let (house, _usual) = House::usual().await;
    for query in ["quorum=1", "quorum=majority", "quorum=3"] {
        let answer = house.auction("medium", &format!("?{query}")).await;
        assert_eq!(answer.status, 404, "{query}: {answer:?}");
        assert!(answer.message().starts_with("nobody bids: "), "{query}: {answer:?}");
    }
    house.close().await;

    let house = House::open().await;
    let _bidders = house.bidders([behaves(1, "fails"), behaves(2, "fails")]).await;
    let answer = house.auction("good", "?quorum=1").await;
    assert_eq!((answer.status, answer.message()), (503, "no bidder can be reached: 2 failed"));
    house.close().await;
}

#[tokio::test]
async fn a_majority_is_more_than_half() {
    let house = House::open().await;
    let _bidders = house.bidders([pays(1, 10), pays(2, 20), behaves(3, "says={}")]).await;
    let answer = house.auction("good", "?quorum=majority").await;
    assert_eq!((answer.status, &answer.body["Bid"]), (200, &json!(20)));
    house.close().await;
}

#[tokio::test]
async fn with_no_bidders_it_is_503() {
    let house = House::open().await;
    for query in ["", "?detail=true"] {
        let answer = house.auction("good", query).await;
        assert_eq!((answer.status, answer.message()), (503, "no bidder is registered"));
        assert_eq!(answer.header("retry-after"), None, "nobody knows when");
    }
    let detail = house.auction("good", "?detail=true").await;
    assert_eq!((&detail.body["Summary"], &detail.body["Legs"]), (&json!("0 of 0 within 1000 ms"), &json!([])));
    house.close().await;
}

#[tokio::test]
async fn with_nobody_to_reach_it_is_503_and_says_when_to_come_back() {
    let house = House::open().await;
    let closed = free_port().await.local_addr().unwrap();
    house.register(1, closed).await;
    let _bidders = house.bidders([behaves(2, "fails"), behaves(3, "silent")]).await;
    for (message, legs) in [
        ("no bidder can be reached: 1 refused, 1 failed, 1 timed-out", ["1 refused", "2 failed", "3 timed-out"]),
        ("no bidder can be reached: 3 skipped", ["1 skipped", "2 skipped", "3 skipped"]),
    ] {
        let answer = house.auction("good", "?detail=true").await;
        assert_eq!((answer.status, answer.message()), (503, message));
        assert_eq!(answer.legs(), legs);
        let seconds: u64 = answer.header("retry-after").unwrap().parse().unwrap();
        assert!((1..=30).contains(&seconds), "{seconds}");
    }
    house.close().await;
}

#[tokio::test]
async fn a_dead_bidder_costs_nothing() {
    let (house, _bidders) = House::usual().await;
    house.register(9, free_port().await.local_addr().unwrap()).await;
    let first = house.auction("good", "?detail=true").await;
    assert_eq!((first.status, first.legs()), (200, ["1 bid", "2 bid", "3 bid", "9 refused"].map(String::from).into()));
    let next = house.auction("good", "?detail=true").await;
    assert_eq!(next.legs(), ["1 bid", "2 bid", "3 bid", "9 skipped"]);
    house.close().await;
}

#[tokio::test]
async fn whoever_leaves_in_the_middle_leaves_no_permit_behind() {
    let (house, _bidders) = House::usual().await;
    let _hung = house.bidders([behaves(4, "silent"), behaves(5, "silent")]).await;
    let mut impatient = house.auctioneer.open(Ask::new("car", "good"), Terms::default()).await.unwrap();
    for _ in 0..3 {
        assert!(impatient.next().await.unwrap().outcome.answer().is_some());
    }
    drop(impatient);

    // What the impatient left behind finds the hung ones out, so that others need not.
    let mut events = house.auctioneer.client().events();
    let open = || {
        let instances = house.auctioneer.client().snapshot().instances.into_iter();
        instances.filter(|view| view.breaker.state == BreakerState::Open).count()
    };
    while open() < 2 {
        crate::support::in_time(events.next()).await;
    }
    let answer = house.auction("good", "?detail=true").await;
    assert_eq!(answer.legs(), ["1 bid", "2 bid", "3 bid", "4 skipped", "5 skipped"]);
    house.close().await;
}
