//! Who is there takes part, and the auction is there itself.

use auction::bidder::Bidder;
use auction::{Auctioneer, Terms};
use mainstay::contracts::auction::{Auction, SetAuction};
use mainstay::contracts::bidding::{Ask, Bid};
use mainstay::{Client, ErrorKind};
use serde_json::json;

use crate::http::{ask, get};
use crate::support::{House, free_port};

fn car(condition: &str) -> SetAuction {
    SetAuction { item: "car".to_owned(), condition: condition.to_owned() }
}

#[tokio::test]
async fn a_fourth_that_joins_is_asked_in_the_next_auction_and_one_that_left_is_not() {
    let (house, _usual) = House::usual().await;
    assert_eq!(house.auction("good", "").await.body["Bidder Name"], "Bidder 2");

    let fourth = house.bidders([Bidder::new(4)]).await;
    let answer = house.auction("good", "").await;
    assert_eq!(answer.body, json!({ "Bidder Name": "Bidder 4", "Bid": 480_000 }));

    fourth.stop().await;
    house.until("bidder 4 is gone", |known| known == [1, 2, 3]).await;
    let answer = house.auction("good", "?detail=true").await;
    assert_eq!(answer.legs(), ["1 bid", "2 bid", "3 bid"]);
    house.close().await;
}

#[tokio::test]
async fn the_auction_is_found_by_its_name() {
    let house = House::open().await;
    let client = Client::<Auction>::builder().registry(house.registry.into()).build().unwrap();
    let mut events = client.events();
    while client.snapshot().instances.is_empty() {
        crate::support::in_time(events.next()).await;
    }
    let error = client.call(car("good")).await.unwrap_err();
    assert_eq!((error.kind(), error.status().unwrap().as_u16()), (ErrorKind::Failed, 503));

    let _bidders = house.bidders((1..=3).map(Bidder::new)).await;
    let sold = client.call(car("good")).await.unwrap();
    assert_eq!(sold.value, Bid { bidder: "Bidder 2".to_owned(), amount: 470_000 });
    let id = format!("auction-{}", house.auction.port());
    assert_eq!((sold.instance.id.as_str(), sold.instance.number), (id.as_str(), 1));

    let error = client.call(car("medium")).await.unwrap_err();
    assert_eq!((error.kind(), error.status().unwrap().as_u16()), (ErrorKind::Declined, 404));
    let error = client.call(car("")).await.unwrap_err();
    assert_eq!(error.status().unwrap().as_u16(), 400);
    house.close().await;
}

#[tokio::test]
async fn who_has_stopped_is_gone_with_no_time_between() {
    let (mut house, bidders) = House::usual().await;
    let listed = async |service: &str| {
        let listing = ask(house.registry, get(&format!("/v1/services/{service}"))).await;
        let instances = listing.body["instances"].as_array().unwrap().clone();
        instances.iter().map(|one| one["id"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(listed("bidders").await, ["bidder1", "bidder2", "bidder3"]);
    bidders.stop().await;
    assert!(listed("bidders").await.is_empty());
    house.until("they are gone", <[u32]>::is_empty).await;
    assert_eq!(house.auction("good", "").await.status, 503);

    house.stop_service().await;
    let listing = ask(house.registry, get("/v1/services/auction")).await;
    assert_eq!(listing.body["instances"], json!([]));
    house.close().await;
}

#[tokio::test]
async fn auctions_go_on_while_the_registry_is_away() {
    let (house, _bidders) = House::usual().await;
    let mut events = house.auctioneer.client().events();
    house.lose_registry();
    while house.auctioneer.client().snapshot().registry.is_some_and(|registry| registry.reachable) {
        crate::support::in_time(events.next()).await;
    }
    let answer = house.auction("good", "").await;
    assert_eq!((answer.status, &answer.body["Bidder Name"]), (200, &json!("Bidder 2")));
    house.close().await;
}

#[tokio::test]
async fn without_a_registry_from_the_start_nobody_is_known_and_it_says_why() {
    let hung = free_port().await;
    let closed = free_port().await.local_addr().unwrap();
    for (registry, what) in [(hung.local_addr().unwrap(), "has not answered within 1"), (closed, "cannot be reached")] {
        let auctioneer = Auctioneer::new(registry.into()).unwrap();
        let error = auctioneer.open(Ask::new("car", "good"), Terms::default()).await.unwrap_err();
        let (why, said) =
            (format!("no bidder is known: the registry at http://{registry} {what}"), auctioneer.why_nobody(&error));
        assert!(said.starts_with(&why), "{said}");
    }
}
