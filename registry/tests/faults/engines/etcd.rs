//! etcd as a process of its own.

#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "what helps a test fails as a test does, or says why not"
)]

use std::net::TcpListener;
use std::path::PathBuf;
use std::process::Stdio;

use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::time::{sleep, timeout};

use crate::process::SOON;

/// A port that is free now.
pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// One member, that keeps its directory over its restarts.
pub(crate) struct Etcd {
    program: PathBuf,
    host: String,
    port: u16,
    peers: u16,
    data: TempDir,
    child: Child,
}

impl Etcd {
    /// On an address of this machine; nothing, if it may be missing and is.
    pub(crate) async fn start(host: &str) -> Option<Self> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let found = std::env::split_paths(&path).map(|dir| dir.join("etcd")).find(|path| path.is_file());
        let Some(program) = found else {
            let required = std::env::var_os("MAINSTAY_REQUIRE_ENGINES").is_some_and(|value| value == "1");
            assert!(!required, "etcd is not installed");
            eprintln!("skipped: etcd is not installed");
            return None;
        };
        let (host, port, peers, data) = (host.to_owned(), free_port(), free_port(), TempDir::new().unwrap());
        let child = spawn(&program, &host, (port, peers), &data).await;
        Some(Self { program, host, port, peers, data, child })
    }

    /// What `--engine` says of it, to whoever reaches it under that host.
    pub(crate) fn engine(&self, host: &str) -> String {
        format!("etcd://{host}:{}/test", self.port)
    }

    pub(crate) async fn kill(&mut self) {
        self.child.kill().await.unwrap();
    }

    pub(crate) async fn start_again(&mut self) {
        self.child = spawn(&self.program, &self.host, (self.port, self.peers), &self.data).await;
    }
}

async fn spawn(program: &PathBuf, host: &str, (port, peers): (u16, u16), data: &TempDir) -> Child {
    let (clients, peers) = (format!("http://{host}:{port}"), format!("http://127.0.0.1:{peers}"));
    let child = Command::new(program)
        .arg(format!("--data-dir={}", data.path().display()))
        .args([format!("--listen-client-urls={clients}"), "--advertise-client-urls=http://127.0.0.1:1".to_owned()])
        .args([format!("--listen-peer-urls={peers}"), format!("--initial-advertise-peer-urls={peers}")])
        .arg(format!("--initial-cluster=default={peers}"))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let at = if host == "0.0.0.0" { "127.0.0.1" } else { host };
    let answers = async {
        while TcpStream::connect((at, port)).await.is_err() {
            sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    timeout(SOON, answers).await.expect("etcd starts");
    child
}
