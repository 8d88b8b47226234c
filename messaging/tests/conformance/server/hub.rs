//! The program `hub`, found through a registry of our own.

use std::net::SocketAddr;
use std::process::Stdio;
use std::time::Duration;

use mainstay_messaging::Messages;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::TcpListener;
use tokio::process::{Child, Command};
use tokio::time::timeout;
use tokio_util::task::AbortOnDropHandle;

use super::{Bounded, Mortal, SMALL, Server};

/// Longer than a hub takes to start on a busy machine.
const STARTS: Duration = Duration::from_secs(20);

pub(crate) struct Hub {
    process: Child,
    address: SocketAddr,
    registry: SocketAddr,
    limits: Vec<String>,
    dir: TempDir,
    _registry: AbortOnDropHandle<()>,
}

impl Hub {
    async fn with(limits: Vec<String>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let registry = listener.local_addr().unwrap();
        let runs = async move {
            let config = mainstay_registry::Config::default();
            mainstay_registry::run(config, listener, std::future::pending()).await.unwrap();
        };
        let _registry = AbortOnDropHandle::new(tokio::spawn(runs));
        let dir = tempfile::tempdir().unwrap();
        let (process, address) = launch("127.0.0.1:0", registry, &dir, &limits).await;
        Self { process, address, registry, limits, dir, _registry }
    }
}

impl Server for Hub {
    async fn start() -> Option<Self> {
        Some(Self::with(Vec::new()).await)
    }

    async fn open(&self) -> Messages {
        Messages::open(&format!("hub://{}", self.registry)).await.unwrap()
    }
}

impl Bounded for Hub {
    async fn start_small() -> Option<Self> {
        Some(Self::with(vec!["--messages".to_owned(), SMALL.to_string()]).await)
    }
}

impl Mortal for Hub {
    const REMEMBERS_SETTLEMENTS: bool = true;

    async fn kill(&mut self) {
        self.process.kill().await.unwrap();
    }

    async fn revive(&mut self) {
        let address = self.address.to_string();
        (self.process, self.address) = launch(&address, self.registry, &self.dir, &self.limits).await;
    }
}

/// Starts it, and waits until it says where it listens.
async fn launch(listen: &str, registry: SocketAddr, dir: &TempDir, limits: &[String]) -> (Child, SocketAddr) {
    let mut process = Command::new(env!("CARGO_BIN_EXE_hub"))
        .args(["--listen", listen, "--registry", &format!("http://{registry}"), "--data"])
        .arg(dir.path())
        .args(limits)
        .env("RUST_LOG", "off")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut said = BufReader::new(process.stdout.take().unwrap()).lines();
    let said = timeout(STARTS, said.next_line()).await.expect("it starts in time").unwrap().expect("it starts");
    let address = said.strip_prefix("hub on http://").and_then(|rest| rest.split(',').next());
    let address = address.and_then(|address| address.parse().ok());
    (process, address.unwrap_or_else(|| panic!("no address: {said:?}")))
}
