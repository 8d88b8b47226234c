//! Who wins.

use std::time::Duration;

use auction::bidder::Bidder;
use serde_json::json;

use crate::http::{ask, post};
use crate::support::{House, behaves, pays};

#[tokio::test]
async fn the_highest_bid_wins() {
    let (house, _bidders) = House::usual().await;
    for (condition, expected) in
        [("good", r#"{"Bidder Name":"Bidder 2","Bid":470000}"#), ("bad", r#"{"Bidder Name":"Bidder 3","Bid":43000}"#)]
    {
        let answer = house.auction(condition, "").await;
        assert_eq!((answer.status, answer.text.as_str()), (200, expected));
        assert_eq!(answer.header("content-type"), Some("application/json"));
    }
    house.close().await;
}

#[tokio::test]
async fn a_condition_that_nobody_wants_is_404_with_the_reason() {
    let (house, _bidders) = House::usual().await;
    for condition in ["medium", "Good", "gut"] {
        let answer = house.auction(condition, "").await;
        assert_eq!((answer.status, answer.message()), (404, "nobody bids: 3 declined"), "{condition}");
    }
    house.close().await;
}

/// The original answered null to some of these.
#[tokio::test]
async fn the_highest_wins_wherever_it_stands() {
    for (bids, winner) in [
        ([50, 10, 100], 3),
        ([50, 100, 10], 2),
        ([100, 50, 10], 1),
        ([10, 50, 100], 3),
        ([100, 10, 50], 1),
        ([10, 100, 50], 2),
        ([0, 0, 1], 3),
        ([0, 0, 0], 1),
        ([100, 50, 100], 1),
        ([50, 100, 100], 2),
        ([100, 100, 50], 1),
        ([u64::MAX, u64::MAX - 1, u64::MAX], 1),
    ] {
        let house = House::open().await;
        let _bidders = house.bidders((1..).zip(bids).map(|(number, bid)| pays(number, bid))).await;
        let answer = house.auction("good", "").await;
        let expected = json!({ "Bidder Name": format!("Bidder {winner}"), "Bid": bids[winner - 1] });
        assert_eq!((answer.status, answer.body), (200, expected), "{bids:?}");
        house.close().await;
    }
}

#[tokio::test]
async fn of_equal_bids_the_lower_number_wins_however_late_it_comes() {
    let house = House::open().await;
    let _third = house.bidders([pays(3, 100)]).await;
    let _second = house.bidders([pays(2, 100)]).await;
    let _first = house.bidders([Bidder { delay: Duration::from_millis(50), ..pays(1, 100) }]).await;
    for _ in 0..3 {
        let answer = house.auction("good", "?detail=true").await;
        assert_eq!(answer.body["Bidder Name"], "Bidder 1");
        let ranks: Vec<_> = answer.body["Legs"].as_array().unwrap().iter().map(|leg| &leg["Rank"]).collect();
        assert_eq!(ranks, [1, 2, 3]);
        assert_eq!(answer.body["Legs"][2]["Why"], "as much as Bidder 1, who comes first");
    }
    house.close().await;
}

#[tokio::test]
async fn what_is_no_bid_is_rejected_while_the_others_compete() {
    let (house, _usual) = House::usual().await;
    let table = [
        (r#"{"Bid":"470000"}"#, "rejected", "the bid is a text, not a number"),
        (r#"{"Bid":470000.5}"#, "rejected", "the bid is 470000.5, not a whole number"),
        (r#"{"Bid":-1}"#, "rejected", "the bid is -1, not a whole number"),
        (r#"{"Bid":1e300}"#, "rejected", "not a whole number"),
        (r#"{"Bid":18446744073709551616}"#, "rejected", "not a whole number"),
        (r#"{"Bid":true}"#, "rejected", "the bid is true or false"),
        (r#"{"Bid":[999999]}"#, "rejected", "the bid is a list"),
        (r#"[{"Bid":999999}]"#, "rejected", "the offer is a list"),
        ("999999", "rejected", "the offer is a number"),
        ("999999 or so", "rejected", "not what the contract says"),
        (r#"{"Bid":null}"#, "declined", "declined"),
        ("{}", "declined", "declined"),
        ("", "rejected", "not what the contract says"),
    ];
    let odd = (4..).zip(table).map(|(number, (body, _, _))| behaves(number, &format!("says={body}")));
    let _odd = house.bidders(odd).await;
    let answer = house.auction("good", "?detail=true").await;
    assert_eq!((answer.status, &answer.body["Bidder Name"]), (200, &json!("Bidder 2")));
    for (leg, (body, outcome, why)) in answer.body["Legs"].as_array().unwrap()[3..].iter().zip(table) {
        assert_eq!(leg["Outcome"], outcome, "{body}");
        assert!(leg["Why"].as_str().unwrap().contains(why), "{body}: {leg}");
    }
    house.close().await;
}

#[tokio::test]
async fn only_what_is_no_bid_is_404_and_not_a_winner() {
    let house = House::open().await;
    let _bidders = house.bidders([behaves(1, r#"says={"Bid":"1"}"#), behaves(2, r#"says={"Bid":null}"#)]).await;
    let answer = house.auction("good", "").await;
    assert_eq!((answer.status, answer.message()), (404, "nobody bids: 1 rejected, 1 declined"));
    house.close().await;
}

#[tokio::test]
async fn the_winner_is_whom_we_asked_whatever_name_it_gives() {
    let (house, _usual) = House::usual().await;
    let _liar = house.bidders([behaves(9, r#"says={"Bidder Name":"Bidder 1","Bid":999999,"And":"more"}"#)]).await;
    let answer = house.auction("good", "").await;
    assert_eq!(answer.text, r#"{"Bidder Name":"Bidder 9","Bid":999999}"#);
    house.close().await;
}

#[tokio::test]
async fn auctions_at_once_do_not_mix() {
    let (house, _bidders) = House::usual().await;
    let auctions = (0..40).map(|at| {
        let (condition, expected) = [("good", 470_000), ("bad", 43_000)][at % 2];
        let auction = house.auction(condition, "");
        async move { (auction.await, expected) }
    });
    for (answer, expected) in futures_util::future::join_all(auctions).await {
        assert_eq!((answer.status, &answer.body["Bid"]), (200, &json!(expected)));
    }
    house.close().await;
}

#[tokio::test]
async fn a_bidder_can_be_asked_by_itself() {
    let (house, bidders) = House::usual().await;
    let good = r#"{"Item":"car","Condition":"good"}"#;
    for (path, body, status, expected) in [
        ("/bidders/bidder1", good, 200, json!({ "Bidder Name": "Bidder 1", "Bid": 350_000 })),
        ("/bidders/bidder2", good, 200, json!({ "Bidder Name": "Bidder 2", "Bid": 470_000 })),
        (
            "/bidders/bidder1",
            r#"{"Item":"car","Condition":"so so"}"#,
            404,
            json!({ "reason": "not wanted in this condition" }),
        ),
        ("/bidders/bidder4", good, 404, json!({ "reason": "nothing at /bidders/bidder4" })),
    ] {
        let answer = ask(bidders.address, post(path, "application/json", body)).await;
        assert_eq!((answer.status, answer.body), (status, expected), "{path} {body}");
    }
    for body in ["", "car", "{}", r#"{"Item":"car"}"#, r#"{"Item":"car","Condition":null}"#, "[]"] {
        let answer = ask(bidders.address, post("/bidders/bidder1", "application/json", body)).await;
        assert!(answer.status == 400 && answer.body["reason"].is_string(), "{body}: {answer:?}");
    }
    house.close().await;
}

#[tokio::test]
async fn a_bidders_health_is_as_its_manner() {
    let house = House::open().await;
    let says = behaves(2, "says=x");
    let bidders = house.bidders([Bidder::new(1), says, behaves(3, "fails"), behaves(4, "silent")]).await;
    for (number, status) in [(1, 200), (2, 200), (3, 500)] {
        let path = format!("/bidders/bidder{number}/health");
        assert_eq!(ask(bidders.address, crate::http::get(&path)).await.status, status, "{number}");
    }
    let silent = ask(bidders.address, crate::http::get("/bidders/bidder4/health"));
    assert!(tokio::time::timeout(Duration::from_millis(100), silent).await.is_err(), "it says nothing");
    house.close().await;
}

#[tokio::test]
async fn two_bidders_of_one_number_do_not_share_a_process() {
    let config = auction::bidder::Config {
        registry: "127.0.0.1:1".parse().unwrap(),
        bidders: vec![Bidder::new(1), Bidder::new(2), pays(1, 5)],
    };
    let listener = crate::support::free_port().await;
    let error = auction::bidder::run(config, listener, std::future::pending()).await.unwrap_err();
    assert_eq!(error.to_string(), "two bidders have number 1");
}
