//! What a person sees of a request for quotes. Needs Chromium and its driver, as `browser` does.

use std::time::Duration;

use serde_json::json;

use crate::demo::Demo;
use crate::page::{Page, Scripts};

const ASK: &str = "@id='ask'";
const WHY: &str = "@class='why'";

/// As long as a request is open, and somewhat more.
const OPEN: Duration = Duration::from_secs(15);

async fn open(demo: &Demo, width: u32, scripts: Scripts) -> Page {
    Page::open_at(&format!("{}/quotes", demo.market), width, 900, scripts).await
}

fn row(number: u32) -> String {
    format!("@data-instance='{number}'")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
#[ignore = "needs Chromium"]
async fn quotes_arrive_on_the_page_until_it_closes() {
    let demo = Demo::with_providers(10).await;
    let page = open(&demo, 1360, Scripts::Run).await;
    page.until("body[data-stream=live]", 1).await;
    page.until("[data-instance][data-process=running][data-registry=up]", 10).await;
    page.until("[data-service][data-process=running][data-registry=up][data-breaker=closed]", 2).await;
    page.press(&row(4), "Pause").await;
    page.until("[data-instance='4'][data-process=paused]", 1).await;
    page.press(&row(5), "Kill").await;
    page.until("[data-instance='5'][data-process=killed][data-registry=gone]", 1).await;

    page.press(ASK, "Ask for quotes").await;
    page.until("[data-rfq][data-state=open]", 1).await;
    let course = page.text("[data-rfq] .summary").await;
    assert!(course.contains("of 9 providers answered") && course.contains("closes in "), "{course}");
    let watch = "window.seen = new Set(); new MutationObserver(() => { \
                 const rfq = document.querySelector('[data-rfq]'); \
                 if (rfq) window.seen.add(rfq.dataset.answered); \
                 }).observe(document.body, { subtree: true, childList: true, attributes: true })";
    page.run(watch, json!([])).await;
    page.until_within("[data-rfq][data-state=closed]", 1, OPEN).await;
    let seen = page.run("return window.seen.size", json!([])).await.as_u64().unwrap();
    assert!(seen >= 2, "quotes arrived one after the other: {seen} times");
    page.until("[data-responder=UnicornManagementResource4]", 0).await;
    page.until("[data-best]", 1).await;
    page.until("#tape [data-kind=RFQ]", 1).await;

    page.press(&row(4), "Resume").await;
    page.until("[data-instance='4'][data-process=running]", 1).await;
    page.press(WHY, "Start 1").await;
    page.until("[data-instance='5'][data-process=running][data-registry=up]", 1).await;
    page.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
#[ignore = "needs Chromium"]
async fn quotes_need_no_script_and_fit_a_phone() {
    let demo = Demo::with_providers(3).await;
    let page = open(&demo, 390, Scripts::AreMissing).await;
    let long = "x".repeat(100);
    page.run("document.querySelector('[name=customer]').value = arguments[0]", json!([long])).await;
    page.press(ASK, "Ask for quotes").await;
    page.until("[data-rfq][data-state=open]", 1).await;
    page.press(&row(1), "Pause").await;
    page.until("[data-instance='1'][data-process=paused]", 1).await;
    assert_eq!(page.count("body[data-stream]").await, 0, "no script ran");
    let width = page.run("return document.documentElement.scrollWidth", json!([])).await;
    assert_eq!(width, 390);
    page.close().await;
}
