//! The Market's page in a real Chromium.

use std::process::Stdio;
use std::time::Duration;

use fantoccini::elements::Element;
use fantoccini::error::CmdError;
use fantoccini::{Client, ClientBuilder, Locator};
use rustix::process::{Pid, Signal, kill_process_group};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::time::{sleep, timeout};

use crate::demo::exchange;

/// How long the page may take to follow what happens: more than it needs, on a machine that is busy.
const SOON: Duration = Duration::from_secs(10);
const LOOK_EVERY: Duration = Duration::from_millis(20);

pub(crate) struct Page {
    driver: Child,
    browser: Client,
    /// Where the driver listens, and what the browser is there.
    session: Session,
    _profile: TempDir,
}

/// Whether a page's own script comes with it; a test's run all the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scripts {
    Run,
    AreMissing,
}

/// What the driver of Chromium does beyond WebDriver.
struct Session {
    driver: String,
    target: String,
}

impl Session {
    async fn ask(&self, what: &str, body: &Value) -> Value {
        let target = format!("{}/{what}", self.target);
        let (status, answer) = exchange(&self.driver, "POST", &target, "application/json", &body.to_string()).await;
        assert_eq!(status, 200, "{answer}");
        serde_json::from_str::<Value>(&answer).unwrap()["value"].take()
    }

    /// Has the browser do something by its own protocol.
    async fn execute(&self, command: &str, parameters: Value) {
        self.ask("goog/cdp/execute", &json!({ "cmd": command, "params": parameters })).await;
    }
}

impl Page {
    /// Opens the page of a market in a window of this size.
    pub(crate) async fn open(market: &str, width: u32, height: u32) -> Self {
        Self::open_at(&format!("{market}/"), width, height, Scripts::Run).await
    }

    /// Opens a page of a market.
    pub(crate) async fn open_at(address: &str, width: u32, height: u32, scripts: Scripts) -> Self {
        let mut command = Command::new("chromedriver");
        command.arg("--port=0").stdin(Stdio::null()).stdout(Stdio::piped()).process_group(0).kill_on_drop(true);
        let mut driver = command.spawn().expect("chromedriver: scripts/test installs it");
        let mut lines = BufReader::new(driver.stdout.take().unwrap()).lines();
        let port = async {
            loop {
                let line = lines.next_line().await.unwrap().expect("chromedriver says its port");
                if let Some(port) = line.strip_prefix("ChromeDriver was started successfully on port ") {
                    return port.trim_end_matches('.').to_owned();
                }
            }
        };
        let port = timeout(SOON, port).await.expect("chromedriver starts");
        let profile = TempDir::new().unwrap();
        let options = json!({
            "args": [
                "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
                "--disable-background-networking", "--disable-component-update", "--disable-sync",
                format!("--user-data-dir={}", profile.path().display()),
            ],
            "mobileEmulation": { "deviceMetrics": { "width": width, "height": height, "pixelRatio": 1.0 } },
        });
        let capabilities =
            [("goog:chromeOptions".to_owned(), options), ("goog:loggingPrefs".to_owned(), json!({ "browser": "ALL" }))];
        let capabilities = capabilities.into_iter().collect();
        let mut builder = ClientBuilder::new(hyper_util::client::legacy::connect::HttpConnector::new());
        let browser = builder.capabilities(capabilities).connect(&format!("http://127.0.0.1:{port}")).await.unwrap();
        let target = format!("/session/{}", browser.session_id().await.unwrap().expect("a session"));
        let session = Session { driver: format!("127.0.0.1:{port}"), target };
        if scripts == Scripts::AreMissing {
            session.execute("Network.enable", json!({})).await;
            session.execute("Network.setBlockedURLs", json!({ "urls": ["*.js"] })).await;
        }
        browser.goto(&format!("http://{address}")).await.unwrap();
        Self { driver, browser, session, _profile: profile }
    }

    /// Shows it as somebody sees it who prefers `light` or `dark`.
    pub(crate) async fn prefer(&self, scheme: &str) {
        let features = json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] });
        self.session.execute("Emulation.setEmulatedMedia", features).await;
    }

    /// What the console has said since it was asked for last, that is worse than information.
    pub(crate) async fn complaints(&self) -> Vec<Value> {
        let said = self.session.ask("se/log", &json!({ "type": "browser" })).await;
        let said = said.as_array().cloned().unwrap_or_default();
        said.into_iter().filter(|entry| matches!(entry["level"].as_str(), Some("SEVERE" | "WARNING"))).collect()
    }

    pub(crate) async fn close(mut self) {
        self.browser.clone().close().await.unwrap();
        self.driver.kill().await.unwrap();
    }

    pub(crate) async fn reload(&self) {
        self.browser.refresh().await.unwrap();
    }

    /// Clicks the button in `place` whose words begin with `label`.
    pub(crate) async fn press(&self, place: &str, label: &str) {
        let path = format!("//*[{place}]//button[starts-with(normalize-space(), '{label}')]");
        self.with(Locator::XPath(&path), async |button| button.click().await).await;
    }

    /// Picks an option of a list by what it sends.
    pub(crate) async fn pick(&self, selector: &str, value: &str) {
        self.with(Locator::Css(selector), async |list| list.select_by_value(value).await).await;
    }

    pub(crate) async fn text(&self, selector: &str) -> String {
        self.with(Locator::Css(selector), async |element| element.text().await).await
    }

    /// Does something with an element, as soon as there is one. A live page may put another in its place meanwhile.
    async fn with<T>(&self, what: Locator<'_>, act: impl AsyncFn(Element) -> Result<T, CmdError>) -> T {
        let done = async {
            loop {
                let element = self.browser.wait().at_most(SOON).for_element(what).await;
                match act(element.unwrap_or_else(|error| panic!("no {what:?}: {error}"))).await {
                    Err(error) if error.is_stale_element_reference() => {}
                    done => break done.unwrap(),
                }
            }
        };
        timeout(2 * SOON, done).await.unwrap_or_else(|_| panic!("{what:?} never stays"))
    }

    pub(crate) async fn count(&self, selector: &str) -> u64 {
        let count = self.run("return document.querySelectorAll(arguments[0]).length", json!([selector])).await;
        count.as_u64().unwrap()
    }

    /// Waits until the page holds `count` of what the selector finds.
    pub(crate) async fn until(&self, selector: &str, count: u64) {
        self.until_within(selector, count, SOON).await;
    }

    pub(crate) async fn until_within(&self, selector: &str, count: u64, limit: Duration) {
        let reached = async {
            while self.count(selector).await != count {
                sleep(LOOK_EVERY).await;
            }
        };
        if timeout(limit, reached).await.is_err() {
            let page = self.run("return document.body.innerText", json!([])).await;
            panic!("never {count} of {selector} within {limit:?}:\n{}", page.as_str().unwrap_or_default());
        }
    }

    pub(crate) async fn run(&self, script: &str, arguments: Value) -> Value {
        let Value::Array(arguments) = arguments else { panic!("arguments are a list") };
        self.browser.execute(script, arguments).await.unwrap()
    }
}

/// The browser is in the group of its driver.
impl Drop for Page {
    fn drop(&mut self) {
        if let Some(group) = self.driver.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?)) {
            // It may have ended by itself.
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}
