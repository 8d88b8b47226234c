//! Programs as processes of their own, over a hub.

use std::future::pending;
use std::net::SocketAddr;
use std::process::Stdio;

use mainstay_messaging::hub;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::task::JoinSet;

use crate::plant::{free_port, in_time};

pub(crate) const TASKS: &str = env!("CARGO_BIN_EXE_tasks");
pub(crate) const EVENTS: &str = env!("CARGO_BIN_EXE_events");
pub(crate) const BACKEND: &str = env!("CARGO_BIN_EXE_backend");

/// A registry and a hub, in this process.
pub(crate) struct Ground {
    pub(crate) registry: SocketAddr,
    directory: TempDir,
    _running: JoinSet<()>,
}

/// A program that runs until this is dropped.
pub(crate) struct Program {
    pub(crate) address: SocketAddr,
    child: Child,
}

impl Ground {
    pub(crate) async fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let (registry, listener) = free_port().await;
        let mut _running = JoinSet::new();
        _running.spawn(async { mainstay_registry::run(Default::default(), listener, pending()).await.unwrap() });
        let (_, listener) = free_port().await;
        let config = hub::Config::new(directory.path().join("hub"), registry.into());
        _running.spawn(async { hub::run(config, listener, pending()).await.unwrap() });
        Self { registry, directory, _running }
    }

    /// Starts a program on a free port, and waits until it says where.
    pub(crate) async fn start(&self, path: &str, args: &str) -> Program {
        let mut child = Command::new(path)
            .args(args.split_whitespace())
            .args(["--port", "0"])
            .current_dir(self.directory.path())
            .env("MAINSTAY_REGISTRY", self.registry.to_string())
            .env_remove("MAINSTAY_MESSAGES")
            .env_remove("MAINSTAY_RECORDS")
            .env("RUST_LOG", "warn")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let line = in_time(lines.next_line()).await.unwrap().expect("a line that says where");
        let (_, address) = line.split_once("http://").unwrap_or_else(|| panic!("no address in {line:?}"));
        Program { address: address.parse().unwrap(), child }
    }
}

impl Program {
    /// `kill -9`.
    pub(crate) async fn kill(mut self) {
        self.child.kill().await.unwrap();
    }
}
