//! What a person sees of tasks. Needs Chromium and its driver, as `browser` does.

use std::time::Duration;

use serde_json::json;

use crate::demo::Demo;
use crate::page::{Page, Scripts};

const SEND: &str = "@id='send'";
const WHY: &str = "@class='why'";

/// As long as a task may take, and somewhat more.
const LATE: Duration = Duration::from_secs(15);

async fn open(demo: &Demo, width: u32, scripts: Scripts) -> Page {
    Page::open_at(&format!("{}/tasks", demo.market), width, 900, scripts).await
}

fn row(number: u32) -> String {
    format!("@data-instance='{number}'")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
#[ignore = "needs Chromium"]
async fn thirty_tasks_are_shared_and_a_killed_backends_are_done_by_others() {
    let demo = Demo::with_backends(0).await;
    let page = open(&demo, 1360, Scripts::Run).await;
    page.until("body[data-stream=live]", 1).await;
    for number in 1..=3 {
        page.pick("[name=delay_ms]", if number == 2 { "1000" } else { "0" }).await;
        page.press(WHY, "Start 1").await;
        page.until(&format!("[data-instance='{number}'][data-process=running][data-registry=up]"), 1).await;
    }
    page.press(SEND, "Send").await;
    page.until("[data-sent='1'] [data-answer]", 1).await;
    assert_eq!(page.text("[data-answer]").await, "15");
    page.until("#sent [data-step=replied]", 1).await;

    // The second thinks for a second, so that it is killed in the middle of what it has.
    page.press(SEND, "Send 30").await;
    page.press(&row(2), "Kill").await;
    page.until("[data-instance='2'][data-process=killed]", 1).await;
    page.until_within("[data-sent='30']", 1, LATE).await;
    assert_eq!(page.text("[data-answer]").await, "30 of 30 answered");
    page.until_within("#history [data-again]:not([data-again='0'])", 1, LATE).await;
    page.until("#history [data-state=done]", 30).await;
    page.run("document.querySelector('#history summary').click()", json!([])).await;
    page.until("#history details[open] [data-step=finished]", 1).await;
    page.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
#[ignore = "needs Chromium"]
async fn tasks_need_no_script_and_fit_a_phone() {
    let demo = Demo::with_backends(2).await;
    let page = open(&demo, 390, Scripts::AreMissing).await;
    page.run("document.querySelector('[name=first]').value = arguments[0]", json!(["x".repeat(100)])).await;
    page.press(SEND, "Send 30").await;
    page.until("[data-sent='30']", 1).await;
    page.until("#history [data-task]", 30).await;
    page.press(&row(1), "Pause").await;
    page.until("[data-instance='1'][data-process=paused]", 1).await;
    assert_eq!(page.count("body[data-stream]").await, 0, "no script ran");
    let width = page.run("return document.documentElement.scrollWidth", json!([])).await;
    assert_eq!(width, 390);
    page.close().await;
}
