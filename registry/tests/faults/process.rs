//! The registry as a process of its own.

#![expect(clippy::unwrap_used, reason = "what helps a test fails as a test does")]

use std::net::{SocketAddr, TcpListener};
use std::process::Stdio;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::time::{Instant, timeout};

use crate::client::Client;

pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_mainstay-registry");
/// What is longer than this has not happened.
pub(crate) const SOON: Duration = Duration::from_secs(30);

/// A registry with a directory and a port, which it keeps over its restarts.
pub(crate) struct Process {
    child: Child,
    address: SocketAddr,
    args: Vec<String>,
    _data: TempDir,
}

impl Process {
    pub(crate) async fn start(args: &[&str]) -> Self {
        Self::start_in(TempDir::new().unwrap(), args).await
    }

    pub(crate) async fn start_in(data: TempDir, args: &[&str]) -> Self {
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let kept = ["--data", data.path().to_str().unwrap()];
        let args: Vec<_> = kept.iter().chain(args).map(|arg| (*arg).to_owned()).collect();
        let child = spawn(address, &args).await;
        Self { child, address, args, _data: data }
    }

    pub(crate) fn client(&self) -> Client {
        Client::new(self.address)
    }

    /// Kills it, and starts it again. Returns how long it took until it answered.
    pub(crate) async fn kill_and_start(&mut self) -> Duration {
        self.kill().await;
        let begun = Instant::now();
        self.start_again().await;
        begun.elapsed()
    }

    pub(crate) async fn kill(&mut self) {
        self.child.kill().await.unwrap();
    }

    /// Starts it where it was killed, and waits until it answers.
    pub(crate) async fn start_again(&mut self) {
        self.child = spawn(self.address, &self.args).await;
        self.client().list("ratings").await;
    }

    /// Stops it where it stands.
    pub(crate) fn pause(&self) {
        self.signal(Signal::STOP);
    }

    pub(crate) fn resume(&self) {
        self.signal(Signal::CONT);
    }

    fn signal(&self, signal: Signal) {
        let id = self.child.id().and_then(|id| Pid::from_raw(id.cast_signed())).expect("it runs");
        kill_process(id, signal).unwrap();
    }
}

/// The program, as soon as it says that it listens.
pub(crate) async fn spawn(address: SocketAddr, args: &[String]) -> Child {
    let mut child = Command::new(PROGRAM)
        .args(["--listen", &address.to_string(), "--dns", "off"])
        .args(args)
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut line = String::new();
    let mut out = BufReader::new(child.stdout.as_mut().unwrap());
    timeout(SOON, out.read_line(&mut line)).await.expect("it starts").unwrap();
    assert!(line.starts_with("registry on "), "{line}");
    child
}
