//! A registry and a hub that run, and a client that can say anything to them.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use mainstay::Address;
use mainstay::contracts::Message;
use mainstay_messaging::hub::{self, Config};
use mainstay_messaging::{Error, Messages, Rules};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::{Child, Command};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::task::AbortOnDropHandle;

/// Within this, whatever a test waits for has come.
pub(crate) const BOUND: Duration = Duration::from_secs(30);

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct News {
    pub(crate) text: String,
}
impl Message for News {
    const TOPIC: &'static str = "news";
}

pub(crate) fn news(text: &str) -> News {
    News { text: text.to_owned() }
}

/// Comes again soon unless it is settled.
pub(crate) fn soon() -> Rules {
    Rules { visibility_ms: 1_000, tries: 0, backoff_ms: 1, kept: true }
}

pub(crate) async fn within<T>(what: impl Future<Output = T>) -> T {
    timeout(BOUND, what).await.expect("it comes in time")
}

/// A registry in this process; it ends with the test.
pub(crate) struct Registry {
    pub(crate) address: SocketAddr,
    _runs: AbortOnDropHandle<()>,
}

impl Registry {
    pub(crate) async fn start() -> Self {
        let listener = free_port().await;
        let address = listener.local_addr().unwrap();
        let runs = async move {
            mainstay_registry::run(mainstay_registry::Config::default(), listener, std::future::pending())
                .await
                .unwrap();
        };
        Self { address, _runs: AbortOnDropHandle::new(tokio::spawn(runs)) }
    }

    pub(crate) async fn messages(&self) -> Messages {
        Messages::open(&format!("hub://{}", self.address)).await.unwrap()
    }
}

/// A hub in this process; it ends with the test.
pub(crate) struct Running {
    pub(crate) address: SocketAddr,
    stop: oneshot::Sender<()>,
    task: JoinHandle<Result<(), Error>>,
}

impl Running {
    pub(crate) async fn start(config: Config, listener: TcpListener) -> Self {
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(hub::run(config, listener, async { stopped.await.unwrap_or_default() }));
        Self { address, stop, task }
    }

    /// Known to a registry.
    pub(crate) async fn registered(data: &Path, registry: &Registry) -> Self {
        Self::start(Config::new(data, Address::from(registry.address)), free_port().await).await
    }

    /// Without a registry: nothing listens on port 1.
    pub(crate) async fn alone(data: &Path) -> Self {
        Self::start(Config::new(data, "127.0.0.1:1".parse().unwrap()), free_port().await).await
    }

    pub(crate) async fn stop(self) {
        self.stop.send(()).unwrap();
        within(self.task).await.unwrap().unwrap();
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        ask(self.address, request("GET", path, b"").as_slice()).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        ask(self.address, &request("POST", path, body.to_string().as_bytes())).await
    }
}

/// The hub's program, in a process of its own; it ends with the test.
pub(crate) fn program(args: &[&str]) -> Child {
    Command::new(env!("CARGO_BIN_EXE_hub"))
        .args(args)
        .env("RUST_LOG", "off")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap()
}

pub(crate) fn directory() -> TempDir {
    tempfile::Builder::new().prefix("mainstay-hub-").tempdir().unwrap()
}

pub(crate) async fn free_port() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").await.unwrap()
}

/// A port for a program to take. It is not one that the system would hand to another test meanwhile.
pub(crate) async fn port_for_program() -> u16 {
    let first = 20_000 + (std::process::id() % 10_000) as u16;
    for port in first..first + 1000 {
        if TcpListener::bind(("127.0.0.1", port)).await.is_ok() {
            return port;
        }
    }
    panic!("no port from {first} on is free");
}

pub(crate) fn request(method: &str, path: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head =
        format!("{method} {path} HTTP/1.1\r\nhost: hub\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n");
    [head.as_bytes(), body].concat()
}

/// What came back on a connection before it was closed; status 0 when that was no answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Value,
}

impl Answer {
    pub(crate) fn reason(&self) -> &str {
        self.body["reason"].as_str().unwrap_or_default()
    }
}

/// Sends these bytes, says that nothing more will come, and reads to the end.
pub(crate) async fn ask(address: SocketAddr, request: &[u8]) -> Answer {
    let mut stream = TcpStream::connect(address).await.unwrap();
    // A server that has heard enough may close before all is sent, and what it said is then lost to the reset.
    let _ = stream.write_all(request).await;
    let mut answer = Vec::new();
    let _ = within(stream.read_to_end(&mut answer)).await;
    read(&answer)
}

pub(crate) fn read(answer: &[u8]) -> Answer {
    let text = String::from_utf8_lossy(answer);
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or_default();
    let status = head.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.get(..3)?.parse().ok()).unwrap_or_default();
    Answer { status, body: serde_json::from_str(body).unwrap_or_default() }
}
