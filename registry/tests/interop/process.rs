//! A registry, and programs beside it.

#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "what helps a test fails as a test does, or says why not"
)]

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep, timeout};

const PROGRAM: &str = env!("CARGO_BIN_EXE_mainstay-registry");
/// What is longer than this has not happened.
const SOON: Duration = Duration::from_secs(30);

/// The registry, for as long as this lives.
pub(crate) struct Registry {
    pub(crate) dir: TempDir,
    /// Host and port.
    pub(crate) http: String,
    pub(crate) dns: String,
    _child: Child,
}

impl Registry {
    pub(crate) async fn start() -> Self {
        let dir = TempDir::new().unwrap();
        let mut child = Command::new(PROGRAM)
            .args(["--listen", "127.0.0.1:0", "--dns", "127.0.0.1:0", "--data"])
            .arg(dir.path().join("data"))
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut place = async |before: &str| {
            let line = timeout(SOON, lines.next_line()).await.expect("it starts").unwrap().unwrap_or_default();
            line.strip_prefix(before).unwrap_or_else(|| panic!("{line:?} does not say where it is")).to_owned()
        };
        let (http, dns) = (place("registry on http://").await, place("DNS on ").await);
        Self { dir, http, dns, _child: child }
    }

    pub(crate) async fn register(&self, service: &str, id: &str, address: &str) {
        let url = format!("http://{}/v1/services/{service}/instances/{id}", self.http);
        let body = format!(r#"{{"address":"{address}","version":"1.4"}}"#);
        assert!(curl(&["-X", "PUT", &url, "-d", &body]).await.is_some(), "{id} is not registered");
    }

    pub(crate) async fn deregister(&self, service: &str, id: &str) {
        let url = format!("http://{}/v1/services/{service}/instances/{id}", self.http);
        assert!(curl(&["-X", "DELETE", &url]).await.is_some(), "{id} is not deregistered");
    }
}

/// What is answered, if that is a success.
pub(crate) async fn curl(args: &[&str]) -> Option<String> {
    let output = Command::new("curl").args(["-sf", "--max-time", "10"]).args(args).output().await.unwrap();
    output.status.success().then(|| String::from_utf8(output.stdout).unwrap())
}

/// Where a program is, or nothing if it may be missing and is.
pub(crate) fn program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    // Debian has servers where only root's path leads.
    let places = std::env::split_paths(&path).chain([PathBuf::from("/usr/sbin")]);
    let found = places.map(|dir| dir.join(name)).find(|path| path.is_file());
    if found.is_none() {
        let required = std::env::var_os("MAINSTAY_REQUIRE_ENGINES").is_some_and(|value| value == "1");
        assert!(!required, "{name} is not installed");
        eprintln!("skipped: {name} is not installed");
    }
    found
}

/// A program that runs for as long as the answer lives; what it says is in a file.
pub(crate) fn run(program: &Path, args: &[&str], log: &Path) -> Child {
    let log = std::fs::File::create(log).unwrap();
    let mut command = Command::new(program);
    command.args(args).stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log).kill_on_drop(true);
    command.spawn().unwrap()
}

/// A port that is free now.
pub(crate) fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Asks until the answer is as expected.
pub(crate) async fn until<T>(what: &str, mut ask: impl AsyncFnMut() -> Result<T, String>) -> T {
    let begun = Instant::now();
    loop {
        match ask().await {
            Ok(answer) => return answer,
            Err(last) if begun.elapsed() > SOON => panic!("{what}: {last}"),
            Err(_) => sleep(Duration::from_millis(50)).await,
        }
    }
}
