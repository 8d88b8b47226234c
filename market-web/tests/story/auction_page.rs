//! What a person sees of an auction. Needs Chromium and its driver, as `browser` does.

use serde_json::json;

use crate::demo::Demo;
use crate::page::{Page, Scripts};

const SELL: &str = "@id='sell'";
const WHY: &str = "@class='why'";
const LAST: &str = "#last-auction";

async fn open(demo: &Demo, width: u32, scripts: Scripts) -> Page {
    Page::open_at(&format!("{}/auction", demo.market), width, 900, scripts).await
}

fn row(number: u32) -> String {
    format!("@data-instance='{number}'")
}

fn leg(number: u32, outcome: &str) -> String {
    format!("{LAST} [data-bidder='{number}'][data-outcome={outcome}]")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
#[ignore = "needs Chromium"]
async fn legs_arrive_while_a_paused_bidder_is_waited_for() {
    let demo = Demo::with_bidders(3).await;
    let page = open(&demo, 1360, Scripts::Run).await;
    page.until("body[data-stream=live]", 1).await;
    page.until("[data-process=running][data-registry=up][data-breaker=closed]", 3).await;

    page.press(SELL, "Run auction").await;
    page.until("[data-winner='2']", 1).await;
    assert!(page.text("[data-winner]").await.contains("470,000"));
    assert!(page.text(&leg(3, "bid")).await.contains("outbid by Bidder 2"));

    page.press(&row(2), "Pause").await;
    page.until("[data-instance='2'][data-process=paused]", 1).await;
    // The moment is short, so the page itself looks out for it.
    let together =
        format!("{LAST}:has([data-bidder='2'][data-outcome=pending]):has([data-bidder='3'][data-outcome=bid])");
    let watch = "const wanted = arguments[0]; window.grew = new Set(); new MutationObserver(() => { \
                 const page = document.querySelector(wanted); \
                 if (page) window.grew.add(page.querySelector('[data-outcome=pending] .call').getAttribute('width')); \
                 }).observe(document.body, { subtree: true, childList: true, attributes: true })";
    page.run(watch, json!([together])).await;
    page.press(SELL, "Run auction").await;
    page.until("[data-winner='3']", 1).await;
    page.until(&leg(2, "timed-out"), 1).await;
    let grew = page.run("return window.grew.size", json!([])).await.as_u64().unwrap();
    assert!(grew >= 2, "a pending leg was seen beside an answer, and grew: {grew} times");
    page.until("[data-instance='2'][data-breaker=open]", 1).await;

    page.press(SELL, "Run auction").await;
    page.until(&leg(2, "skipped"), 1).await;
    assert!(page.text(&leg(2, "skipped")).await.contains("retest in"));

    page.pick("[name=manner]", "nonsense").await;
    page.press(WHY, "Start 1").await;
    page.until("[data-instance='4'][data-process=running][data-breaker=closed]", 1).await;
    page.press(SELL, "Run auction").await;
    page.until(&leg(4, "rejected"), 1).await;

    page.press(WHY, "Kill all").await;
    page.until("[data-process=killed][data-registry=gone]", 4).await;
    page.press(SELL, "Run auction").await;
    page.until(&format!("{LAST} .sorry"), 1).await;
    page.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
#[ignore = "needs Chromium"]
async fn an_auction_needs_no_script() {
    let demo = Demo::with_bidders(3).await;
    let page = open(&demo, 1360, Scripts::AreMissing).await;
    page.press(&row(1), "Kill").await;
    page.until("[data-instance='1'][data-process=killed]", 1).await;
    page.pick("[name=manner]", "slow").await;
    page.press(WHY, "Start 1").await;
    page.until("[data-instance='1'][data-process=running]", 1).await;
    page.pick("[name=complete]", "first-2").await;
    page.press(SELL, "Run auction").await;
    page.until("[data-winner='2']", 1).await;
    page.until(&leg(1, "cancelled"), 1).await;
    page.until("[name=complete] [value=first-2][selected]", 1).await;
    page.press(WHY, "Stop registry").await;
    page.until("#instances [data-reachable]", 1).await;
    assert_eq!(page.count("body[data-stream]").await, 0, "no script ran");
    page.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
#[ignore = "needs Chromium"]
async fn a_phone_shows_an_auction_without_scrolling_sideways() {
    let demo = Demo::with_bidders(3).await;
    demo.post("/lab/bidders/start?manner=nonsense").await;
    demo.post("/lab/bidders/2/pause").await;
    let page = open(&demo, 390, Scripts::Run).await;
    page.until("body[data-stream=live]", 1).await;
    let long = "x".repeat(100);
    page.run("document.querySelector('[name=item]').value = arguments[0]", json!([long])).await;
    page.press(SELL, "Run auction").await;
    page.until("[data-winner='3']", 1).await;
    let width = page.run("return document.documentElement.scrollWidth", json!([])).await;
    assert_eq!(width, 390);
    page.close().await;
}
