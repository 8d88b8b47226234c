//! A demo of its own, on free ports: real processes, real signals, its console read line by line.

use std::collections::HashSet;
use std::fs;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep, timeout};

use crate::ports::free_ports;

/// More than anything here takes that is not bounded by its own assertion.
const LONG: Duration = Duration::from_secs(20);
const LOOK_EVERY: Duration = Duration::from_millis(10);

pub(crate) struct Demo {
    process: Child,
    pub(crate) market: String,
    console: Arc<Mutex<Vec<Line>>>,
    /// Where its own directory is made: a demo that is killed leaves it behind.
    _data: TempDir,
}

#[derive(Debug, Clone)]
pub(crate) struct Line {
    pub(crate) at: Instant,
    pub(crate) text: String,
}

/// Who plays in a demo from the start, and at which port the market is.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Cast {
    pub(crate) port: u16,
    pub(crate) instances: u32,
    pub(crate) bidders: u32,
    pub(crate) providers: u32,
    pub(crate) backends: u32,
}

impl Demo {
    pub(crate) async fn start(instances: u32) -> Self {
        Self::start_at(0, instances).await
    }

    /// With the market on this port.
    pub(crate) async fn start_at(port: u16, instances: u32) -> Self {
        Self::run(Cast { port, instances, ..Cast::default() }).await
    }

    /// With bidders, and nobody who rates.
    pub(crate) async fn with_bidders(bidders: u32) -> Self {
        Self::run(Cast { bidders, ..Cast::default() }).await
    }

    /// With providers, and nobody else.
    pub(crate) async fn with_providers(providers: u32) -> Self {
        Self::run(Cast { providers, ..Cast::default() }).await
    }

    /// With backends, and nobody else.
    pub(crate) async fn with_backends(backends: u32) -> Self {
        Self::run(Cast { backends, ..Cast::default() }).await
    }

    pub(crate) async fn run(cast: Cast) -> Self {
        let base = free_ports(ROOM);
        let mut command = Command::new(env!("CARGO_BIN_EXE_demo"));
        for (option, value) in [
            ("--port", u32::from(cast.port)),
            ("--instances", cast.instances),
            ("--bidders", cast.bidders),
            ("--providers", cast.providers),
            ("--backends", cast.backends),
            ("--registry-port", base.into()),
            ("--ratings-base-port", base.into()),
            ("--auction-port", u32::from(base) + 1 + HIGHEST),
            ("--bidders-base-port", u32::from(base) + 1 + HIGHEST),
            ("--providers-base-port", u32::from(base) + 1 + 2 * HIGHEST),
            ("--backends-base-port", u32::from(base) + 1 + 3 * HIGHEST),
            ("--hub-port", u32::from(base) + 2 + 4 * HIGHEST),
            ("--quotes-port", u32::from(base) + 3 + 4 * HIGHEST),
            ("--tasks-port", u32::from(base) + 4 + 4 * HIGHEST),
            ("--events-port", u32::from(base) + 5 + 4 * HIGHEST),
        ] {
            command.args([option, &value.to_string()]);
        }
        let data = TempDir::new().unwrap();
        command.env("TMPDIR", data.path());
        command.env_remove("MARKET_LOG").env_remove("RUST_LOG").stdin(Stdio::null()).stdout(Stdio::piped());
        let mut process = command.kill_on_drop(true).spawn().unwrap();
        let console = Arc::new(Mutex::new(Vec::<Line>::new()));
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let shared = Arc::clone(&console);
        tokio::spawn(async move {
            while let Ok(Some(text)) = lines.next_line().await {
                shared.lock().push(Line { at: Instant::now(), text });
            }
        });
        let mut demo = Self { process, market: String::new(), console, _data: data };
        let first = demo.line(0, "http://").await;
        let address = first.text.split("http://").nth(1).unwrap().split_whitespace().next().unwrap();
        demo.market = address.to_owned();
        let up = |state: &Value| {
            let ready = |row: &&Value| row["registry"] == "up" && row["breaker"] == "closed";
            let ready = |rows: &str| state[rows].as_array().unwrap().iter().filter(ready).count() as u32;
            let Cast { instances, bidders, providers, backends, .. } = cast;
            ["instances", "bidders", "providers", "backends"].map(ready) == [instances, bidders, providers, backends]
                && ready("services") == SERVICES
                && state["registry"]["reachable"] == true
        };
        demo.until(up).await;
        demo
    }

    /// The port of its market.
    pub(crate) fn port(&self) -> u16 {
        self.market.rsplit(':').next().unwrap().parse().unwrap()
    }

    /// The process of ratings instance `number`.
    pub(crate) fn ratings_pid(&self, number: u32) -> Pid {
        let wanted = format!("--instance\0{number}\0");
        let is_it = |cmdline: String| cmdline.contains("role\0ratings\0") && cmdline.contains(&wanted);
        self.children().into_iter().find(|child| is_it(cmdline(*child))).expect("an instance's process")
    }

    /// All processes whose parent is the demo.
    pub(crate) fn children(&self) -> HashSet<Pid> {
        let own = self.process.id().unwrap().to_string();
        let numbers = fs::read_dir("/proc").unwrap().filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
        let parent = |pid: &u32| {
            let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
            Some(stat.rsplit(')').next()?.split_whitespace().nth(1)?.to_owned())
        };
        numbers.filter(|number| parent(number).as_ref() == Some(&own)).map(pid).collect()
    }

    /// Ends the demo by a signal; returns how long it took.
    pub(crate) async fn end(mut self, signal: Signal) -> Duration {
        let started = Instant::now();
        kill_process(pid(self.process.id().unwrap()), signal).unwrap();
        timeout(LONG, self.process.wait()).await.expect("the demo ends").unwrap();
        started.elapsed()
    }

    pub(crate) async fn ask(&self, method: &str, target: &str) -> (u16, String) {
        exchange(&self.market, method, target, "", "").await
    }

    /// Sends a form, as a browser without scripts does.
    pub(crate) async fn submit(&self, target: &str, fields: &str) -> (u16, String) {
        exchange(&self.market, "POST", target, "application/x-www-form-urlencoded", fields).await
    }

    /// Waits until the auction service at this address says this to a lot: it may not serve yet, or not have heard of
    /// every bidder.
    pub(crate) async fn sells_at(service: &str, lot: &str, wanted: &str) {
        let says = async {
            while TcpStream::connect(service).await.is_err()
                || exchange(service, "POST", "/auction/setAuction", "application/json", lot).await.1 != wanted
            {
                sleep(LOOK_EVERY).await;
            }
        };
        timeout(LONG, says).await.expect("the auction service says so");
    }

    /// A live page: holds its stream of events open.
    pub(crate) async fn open_stream(&self) -> TcpStream {
        let mut socket = TcpStream::connect(&self.market).await.unwrap();
        socket.write_all(format!("GET /events HTTP/1.1\r\nhost: {}\r\n\r\n", self.market).as_bytes()).await.unwrap();
        let mut first = [0; 15];
        timeout(LONG, socket.read_exact(&mut first)).await.expect("a stream").unwrap();
        assert_eq!(&first, b"HTTP/1.1 200 OK");
        socket
    }

    pub(crate) async fn post(&self, target: &str) -> Value {
        let (status, body) = self.ask("POST", target).await;
        assert_eq!(status, 200, "POST {target}: {body}");
        serde_json::from_str(&body).unwrap()
    }

    pub(crate) async fn state(&self) -> Value {
        serde_json::from_str(&self.ask("GET", "/api/state").await.1).unwrap()
    }

    pub(crate) async fn refresh(&self) -> Value {
        self.post("/api/refresh").await
    }

    /// Waits until the state is as wanted.
    pub(crate) async fn until(&self, wanted: impl Fn(&Value) -> bool) -> Value {
        let mut last = Value::Null;
        let reached = async {
            loop {
                last = self.state().await;
                if wanted(&last) {
                    return last.clone();
                }
                sleep(LOOK_EVERY).await;
            }
        };
        let reached = timeout(LONG, reached).await;
        reached.unwrap_or_else(|_| panic!("never as wanted: {last:#}"))
    }

    fn told(&self) -> String {
        self.console.lock().iter().map(|line| format!("\n  {}", line.text)).collect()
    }

    /// Where the console stands now.
    pub(crate) fn mark(&self) -> usize {
        self.console.lock().len()
    }

    /// The lines since `mark` that hold `text`.
    pub(crate) fn lines(&self, mark: usize, text: &str) -> Vec<Line> {
        self.console.lock()[mark..].iter().filter(|line| line.text.contains(text)).cloned().collect()
    }

    /// Waits for the first line since `mark` that holds `text`.
    pub(crate) async fn line(&self, mark: usize, text: &str) -> Line {
        self.line_within(mark, text, LONG).await
    }

    pub(crate) async fn line_within(&self, mark: usize, text: &str, limit: Duration) -> Line {
        let found = async {
            loop {
                if let Some(line) = self.lines(mark, text).into_iter().next() {
                    return line;
                }
                sleep(LOOK_EVERY).await;
            }
        };
        let found = timeout(limit, found).await;
        found.unwrap_or_else(|_| panic!("no {text:?} within {limit:?}"))
    }
}

/// Whoever reads of a failed test wants to know what the console said.
impl Drop for Demo {
    fn drop(&mut self) {
        if std::thread::panicking() {
            println!("the console of {}:{}", self.market, self.told());
        }
    }
}

/// One request on a connection of its own.
pub(crate) async fn exchange(address: &str, method: &str, target: &str, kind: &str, body: &str) -> (u16, String) {
    let mut socket = TcpStream::connect(address).await.unwrap();
    let length = body.len();
    let request = format!(
        "{method} {target} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\ncontent-type: {kind}\r\n\
         content-length: {length}\r\n\r\n{body}"
    );
    socket.write_all(request.as_bytes()).await.unwrap();
    let answer = timeout(LONG, whole(&mut socket)).await.expect("an answer");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a whole answer");
    (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
}

/// An answer to its last byte: not everybody closes the connection after it.
async fn whole(socket: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&answer);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let head = head.to_ascii_lowercase();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok());
            if length.is_some_and(|length: usize| body.len() >= length) {
                return text.into_owned();
            }
        }
        if socket.read_buf(&mut answer).await.unwrap() == 0 {
            return String::from_utf8_lossy(&answer).into_owned();
        }
    }
}

fn pid(number: u32) -> Pid {
    Pid::from_raw(i32::try_from(number).unwrap()).unwrap()
}

fn cmdline(pid: Pid) -> String {
    fs::read_to_string(format!("/proc/{}/cmdline", pid.as_raw_nonzero())).unwrap_or_default()
}

/// Waits until none of the processes is there any more; zombies of a parent that died count as gone.
pub(crate) async fn until_gone(processes: &HashSet<Pid>) {
    let gone = async {
        while processes.iter().any(|pid| cmdline(*pid).contains("role\0")) {
            sleep(LOOK_EVERY).await;
        }
    };
    timeout(Duration::from_secs(3), gone).await.expect("no process is left behind");
}

/// The highest number of an instance, for which a demo keeps a port.
const HIGHEST: u32 = 20;

/// How many services have one instance.
const SERVICES: u32 = 5;

/// How many ports a demo may take.
const ROOM: u16 = 6 + 4 * HIGHEST as u16;
