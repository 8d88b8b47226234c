//! What a person sees and does. Needs Chromium and its driver, so it is asked for: `scripts/test` does.

use std::time::Duration;

use rustix::process::Signal;
use serde_json::json;

use crate::demo::{Demo, until_gone};
use crate::page::Page;

const HEADER: &str = "self::header";
const WHY: &str = "@class='why'";

fn row(number: u32) -> String {
    format!("@data-instance='{number}'")
}

fn in_row(number: u32, state: &str) -> String {
    format!("[data-instance='{number}']{state}")
}

fn thing(id: &str) -> String {
    format!("@data-thing='{id}'")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
#[ignore = "needs Chromium"]
async fn the_page_tells_the_acts() {
    let demo = Demo::start(3).await;
    let page = Page::open(&demo.market, 1360, 900).await;
    page.until("body[data-stream=live]", 1).await;

    // Act 1.
    page.until("[data-thing] [data-from=live]", 4).await;
    page.until("[data-process=running][data-registry=up][data-breaker=closed]", 3).await;
    assert_eq!(page.text("[data-thing=camera] [data-rating] .stars").await, "4.5 / 5");

    // Act 2.
    page.press(WHY, "Kill all").await;
    page.until("[data-process=killed][data-registry=gone]", 3).await;
    page.press(HEADER, "Refresh").await;
    page.until("[data-thing] [data-from=last-good]", 4).await;
    assert_eq!(page.text("[data-thing=camera] [data-rating] .stars").await, "4.5 / 5");

    // Act 3, as far as act 4 needs it.
    for number in 1..=2 {
        page.press(WHY, "Start 1").await;
        page.until(&in_row(number, "[data-process=running][data-registry=up][data-breaker=closed]"), 1).await;
    }

    // Act 4: the page of the two timed-out calls, and the countdown.
    page.press(&row(1), "Pause").await;
    page.until(&in_row(1, "[data-process=paused]"), 1).await;
    page.press(HEADER, "Refresh").await;
    page.until(&in_row(1, "[data-breaker=open]"), 1).await;
    page.until("[data-thing] [data-from=last-good]", 2).await;
    page.until("[data-thing] [data-from=live]", 2).await;
    page.until("[data-lane][data-outcome=timed-out]", 2).await;
    assert!(page.text(&in_row(1, "")).await.contains("retest in"));

    // Act 5.
    page.until_within(&in_row(1, "[data-breaker=half-open][data-registry=silent]"), 1, Duration::from_secs(32)).await;

    // Act 6.
    page.press(&row(1), "Resume").await;
    page.until_within(&in_row(1, "[data-breaker=closed]"), 1, Duration::from_secs(2)).await;
    for kind in ["OPEN", "RETEST", "CLOSE"] {
        page.until(&format!("#tape [data-kind={kind}]"), 1).await;
    }
    page.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
#[ignore = "needs Chromium"]
async fn a_cart_is_filled_kept_and_checked_out() {
    let demo = Demo::start(1).await;
    let page = Page::open(&demo.market, 1360, 900).await;
    page.press(&thing("basketball"), "Add").await;
    page.until("[data-total='$19.99']", 1).await;
    assert_eq!(page.text("#message").await, "Item added successfully!");
    page.press(&thing("camera"), "Add").await;
    page.until("[data-total='$119.98']", 1).await;
    page.reload().await;
    page.until("[data-total='$119.98']", 1).await;
    page.press(&thing("basketball"), "Remove").await;
    page.until("[data-total='$99.99']", 1).await;
    page.press("@id='cart'", "Check out").await;
    page.until("[data-total]", 0).await;
    assert_eq!(page.text("#message").await, "Successfully checked out your items!");
    page.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
#[ignore = "needs Chromium"]
async fn the_page_says_when_it_is_cut_off_and_comes_back_by_itself() {
    let demo = Demo::start(2).await;
    let (market, port) = (demo.market.clone(), demo.port());
    let page = Page::open(&market, 1360, 900).await;
    page.until("body[data-stream=live]", 1).await;

    let processes = demo.children();
    let took = demo.end(Signal::INT).await;
    assert!(took < Duration::from_secs(3), "^C with a page open took {took:?}");
    until_gone(&processes).await;
    page.until("body[data-stream=lost]", 1).await;
    assert!(page.text("#lost").await.contains("reconnecting"));

    let _demo = Demo::start_at(port, 1).await;
    page.until("body[data-stream=live]", 1).await;
    page.until("[data-instance]", 1).await;
    page.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
#[ignore = "needs Chromium"]
async fn a_phone_shows_all_of_it_without_scrolling_sideways() {
    let demo = Demo::start(3).await;
    let page = Page::open(&demo.market, 390, 844).await;
    page.until("[data-thing] [data-from=live]", 4).await;
    page.press(WHY, "Kill all").await;
    page.until("[data-process=killed]", 3).await;
    let width = page.run("return document.documentElement.scrollWidth", json!([])).await;
    assert_eq!(width, 390);
    page.close().await;
}
