//! etcd as a process of its own.

#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "what helps a test fails as a test does, or says why not"
)]

use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use futures_util::future::join_all;
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::time::{sleep, timeout};

use super::Papers;
use crate::process::SOON;

/// A port that is free now.
pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// One member, that keeps its directory over its restarts.
pub(crate) struct Etcd {
    program: PathBuf,
    args: Vec<String>,
    clients: SocketAddr,
    child: Child,
    _data: TempDir,
}

impl Etcd {
    /// The only one, on an address of this machine; nothing, if it may be missing and is.
    pub(crate) async fn start(host: &str) -> Option<Self> {
        let (program, port) = (program()?, free_port());
        let args = [format!("--listen-client-urls=http://{host}:{port}")];
        let at = if host == "0.0.0.0" { "127.0.0.1" } else { host };
        let clients = SocketAddr::new(at.parse().unwrap(), port);
        Some(start(program, clients, 0, &[free_port()], &args).until_listens().await)
    }

    /// Several of one cluster, which speak TLS with their clients, and ask for a certificate.
    pub(crate) async fn cluster(members: usize, tls: &Papers) -> Option<Vec<Self>> {
        let (program, peers) = (program()?, (0..members).map(|_| free_port()).collect::<Vec<_>>());
        let member = |number| {
            let clients = SocketAddr::from(([127, 0, 0, 1], free_port()));
            let args = [
                format!("--listen-client-urls=https://{clients}"),
                format!("--cert-file={}", tls.chain()),
                format!("--key-file={}", tls.key()),
                format!("--trusted-ca-file={}", tls.authority()),
                "--client-cert-auth".to_owned(),
            ];
            start(program.clone(), clients, number, &peers, &args)
        };
        // None of them listens before most of them run.
        let all: Vec<Self> = (0..members).map(member).collect();
        let listen = async |member: Self| member.until_listens().await;
        Some(join_all(all.into_iter().map(listen)).await)
    }

    pub(crate) fn clients(&self) -> SocketAddr {
        self.clients
    }

    pub(crate) async fn kill(&mut self) {
        self.child.kill().await.unwrap();
    }

    /// Resolves when it listens: as one of several, when it is not the only one.
    pub(crate) async fn start_again(&mut self) {
        self.child = spawn(&self.program, &self.args);
        self.listens().await;
    }

    async fn until_listens(self) -> Self {
        self.listens().await;
        self
    }

    async fn listens(&self) {
        let answers = async {
            while TcpStream::connect(self.clients).await.is_err() {
                sleep(Duration::from_millis(20)).await;
            }
        };
        timeout(SOON, answers).await.expect("etcd starts");
    }
}

fn program() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).map(|dir| dir.join("etcd")).find(|path| path.is_file());
    if found.is_none() {
        let required = std::env::var_os("MAINSTAY_REQUIRE_ENGINES").is_some_and(|value| value == "1");
        assert!(!required, "etcd is not installed");
        eprintln!("skipped: etcd is not installed");
    }
    found
}

/// A member of a cluster, each of which reaches the others at one of these ports.
fn start(program: PathBuf, clients: SocketAddr, number: usize, peers: &[u16], more: &[String]) -> Etcd {
    let data = TempDir::new().unwrap();
    let cluster: Vec<_> =
        peers.iter().enumerate().map(|(number, port)| format!("m{number}=http://127.0.0.1:{port}")).collect();
    let own = format!("http://127.0.0.1:{}", peers[number]);
    let mut args = vec![
        format!("--name=m{number}"),
        format!("--data-dir={}", data.path().display()),
        "--advertise-client-urls=http://127.0.0.1:1".to_owned(),
        format!("--listen-peer-urls={own}"),
        format!("--initial-advertise-peer-urls={own}"),
        format!("--initial-cluster={}", cluster.join(",")),
    ];
    args.extend_from_slice(more);
    let child = spawn(&program, &args);
    Etcd { program, args, clients, child, _data: data }
}

fn spawn(program: &Path, args: &[String]) -> Child {
    let mut command = Command::new(program);
    command.args(args).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.kill_on_drop(true).spawn().unwrap()
}
