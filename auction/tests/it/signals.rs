//! Bidders that are processes, paused and killed.

use auction::bidder::Bidder;
use rustix::process::Signal;

use crate::program::{BIDDERS, lines, program, send};
use crate::support::House;

#[tokio::test]
async fn a_paused_bidder_is_waited_for_once_and_then_skipped() {
    let (house, _usual) = House::usual().await;
    let mut fourth = program(BIDDERS, house.registry, &["--number", "4", "--port", "0"]);
    lines(&mut fourth, 1).await;
    house.until("bidder 4 is there", |known| known == [1, 2, 3, 4]).await;
    assert_eq!(house.auction("good", "").await.body["Bidder Name"], "Bidder 4");

    send(&fourth, Signal::STOP);
    let answer = house.auction("good", "?detail=true").await;
    assert_eq!((answer.status, &answer.body["Bidder Name"]), (200, &"Bidder 2".into()));
    assert_eq!(answer.legs(), ["1 bid", "2 bid", "3 bid", "4 timed-out"]);
    let answer = house.auction("good", "?detail=true").await;
    assert_eq!(answer.legs(), ["1 bid", "2 bid", "3 bid", "4 skipped"]);
    house.close().await;
}

#[tokio::test]
async fn a_killed_bidder_is_not_missed() {
    let house = House::open().await;
    let _first = house.bidders([Bidder::new(1)]).await;
    let mut second = program(BIDDERS, house.registry, &["--number", "2", "--port", "0"]);
    lines(&mut second, 1).await;
    house.until("bidder 2 is there", |known| known == [1, 2]).await;
    assert_eq!(house.auction("good", "").await.body["Bidder Name"], "Bidder 2");

    send(&second, Signal::KILL);
    second.wait().await.unwrap();
    // Whether the registry has said so by now or not.
    let answer = house.auction("good", "?detail=true").await;
    assert_eq!((answer.status, &answer.body["Bidder Name"]), (200, &"Bidder 1".into()));
    assert!(matches!(answer.legs().get(1).map(String::as_str), None | Some("2 refused" | "2 failed")), "{answer:?}");
    house.until("bidder 2 is gone", |known| known == [1]).await;
    assert_eq!(house.auction("good", "?detail=true").await.legs(), ["1 bid"]);
    house.close().await;
}
