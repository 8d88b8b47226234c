//! The registry's own page: who is there, as it changes.

use std::time::Duration;

use mainstay_registry::{Config, Guard, run};
use serde_json::json;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use crate::demo::exchange;
use crate::page::{Page, Scripts};

/// More than anything here takes.
const LONG: Duration = Duration::from_secs(20);
const SUSPECT: &str = "td.suspect";

/// A registry whose leases are short, with one instance that beats and three that do not.
struct Registry {
    address: String,
    tasks: [JoinHandle<()>; 2],
}

impl Registry {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let config = Config {
            silent_after: Duration::from_secs(4),
            gone_after: Duration::from_secs(3),
            guard: Guard { suspect_for: Duration::from_secs(100), ..Guard::default() },
            ..Config::default()
        };
        let served = tokio::spawn(async { run(config, listener, std::future::pending()).await.unwrap() });
        for number in 1..=4 {
            let body = format!(r#"{{"address":"127.0.0.1:800{number}","version":"1.{number}","zone":"a"}}"#);
            let target = format!("/v1/services/ratings/instances/r{number}");
            assert_eq!(exchange(&address, "PUT", &target, "application/json", &body).await.0, 200);
        }
        let beats = tokio::spawn(beat(address.clone()));
        Self { address, tasks: [served, beats] }
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

async fn beat(address: String) {
    loop {
        exchange(&address, "POST", "/v1/services/ratings/instances/r1/beat", "application/json", "").await;
        sleep(Duration::from_millis(200)).await;
    }
}

/// For how many seconds more the guard says that they stay listed.
async fn left(page: &Page) -> u64 {
    let banner = page.text("section .banner").await;
    assert!(banner.starts_with("Guarded: 3 of 4 have stopped beating"), "{banner}");
    let (_, rest) = banner.split_once("for another ").expect("it says for how long");
    rest.split(' ').next().and_then(|seconds| seconds.parse().ok()).unwrap_or_else(|| panic!("{banner}"))
}

async fn is_shown_at(width: u32) {
    let registry = Registry::start().await;
    let page = Page::open_at(&format!("{}/", registry.address), width, 900, Scripts::Run).await;
    assert_eq!(page.text("h2").await, "ratings");
    page.until("td.up", 4).await;
    assert!(page.text("section").await.contains("127.0.0.1:8004"));

    // Live: nobody loads it anew.
    page.run("window.same = true", json!([])).await;
    page.until("td.silent", 3).await;
    page.until("td.up", 1).await;
    page.until(SUSPECT, 3).await;
    assert!(page.text("#summary").await.starts_with("1 service · 4 instances · "));
    let first = left(&page).await;
    let falls = async {
        while left(&page).await >= first {
            sleep(Duration::from_millis(100)).await;
        }
    };
    timeout(LONG, falls).await.expect("the guard's time runs");
    assert!((80..=100).contains(&first), "{first} s at first");
    assert_eq!(page.run("return window.same", json!([])).await, json!(true));

    for (scheme, background) in [("light", "rgb(245, 246, 248)"), ("dark", "rgb(18, 21, 25)")] {
        page.prefer(scheme).await;
        let shown = page.run("return getComputedStyle(document.body).backgroundColor", json!([])).await;
        assert_eq!(shown, json!(background), "{scheme}");
        let widest = page.run("return document.documentElement.scrollWidth", json!([])).await;
        assert_eq!(widest, json!(width), "{scheme}: it scrolls sideways");
    }
    let complaints = page.complaints().await;
    assert!(complaints.is_empty(), "{complaints:?}");
    page.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs Chromium"]
async fn the_registrys_page_shows_who_is_silent_and_for_how_long_the_guard_keeps_them() {
    is_shown_at(1360).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs Chromium"]
async fn the_registrys_page_fits_a_phone() {
    is_shown_at(390).await;
}
