//! Mainstay's registry, in a process of its own.

mod client;

use std::env;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use mainstay::contracts::registry::Beat;
use mainstay_registry::{Config, Guard, Limits};
use tempfile::TempDir;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, sleep};

use super::options::Rules;
use crate::Failed;
use crate::child::{Child, free_port};

/// How long it may take to listen.
const PATIENCE: Duration = Duration::from_secs(10);

/// A registry that runs. What it keeps goes with it.
#[derive(Debug)]
pub(crate) struct Ours {
    pub(crate) address: SocketAddr,
    child: Child,
    rules: Rules,
    directory: TempDir,
    beats: Arc<[Beat]>,
    next: Arc<AtomicUsize>,
}

impl Rules {
    /// For as long as any measure takes, nobody is silent.
    pub(crate) fn patient() -> Self {
        Self { silent_ms: 3_600_000, gone_ms: 3_600_000, unguarded: false }
    }
}

impl Ours {
    pub(crate) async fn start(rules: Rules) -> Result<Self, Failed> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()?));
        let directory = tempfile::Builder::new().prefix("mainstay-bench-").tempdir()?;
        let child = child(address, directory.path(), &rules)?;
        let (beats, next) = (Arc::from([]), Arc::default());
        let mut started = Self { address, child, rules, directory, beats, next };
        started.listens().await?;
        Ok(started)
    }

    /// `kill -9`, and another one on the same port and the same data. Resolves when that listens.
    pub(crate) async fn kill_and_start_again(&mut self) -> Result<(), Failed> {
        self.child.process().kill().await?;
        self.child = child(self.address, self.directory.path(), &self.rules)?;
        self.listens().await
    }

    async fn listens(&mut self) -> Result<(), Failed> {
        let end = Instant::now() + PATIENCE;
        while TcpStream::connect(self.address).await.is_err() {
            if self.child.process().try_wait()?.is_some() || Instant::now() > end {
                return Err(format!("the registry does not listen on {}", self.address).into());
            }
            sleep(Duration::from_millis(1)).await;
        }
        Ok(())
    }

    pub(crate) async fn stop(self) -> Result<(), Failed> {
        self.child.stop().await
    }
}

fn child(address: SocketAddr, data: &Path, rules: &Rules) -> Result<Child, Failed> {
    let mut arguments = vec!["registry".to_owned(), address.port().to_string(), data.to_string_lossy().into_owned()];
    arguments.extend([format!("--silent-ms={}", rules.silent_ms), format!("--gone-ms={}", rules.gone_ms)]);
    arguments.extend(rules.unguarded.then(|| "--unguarded".to_owned()));
    Child::start(env::current_exe()?, arguments, Stdio::null(), Stdio::inherit())
}

/// The child's side.
pub(crate) async fn run(port: u16, data: PathBuf, rules: &Rules) -> Result<(), Failed> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
    let config = Config {
        silent_after: Duration::from_millis(rules.silent_ms),
        gone_after: Duration::from_millis(rules.gone_ms),
        guard: Guard { on: !rules.unguarded, ..Guard::default() },
        data: Some(data),
        // What is registered in a slice is more than any service has, and writers wait until their turn comes again.
        limits: Limits {
            instances: 1_000_000,
            watchers: 60_000,
            connections: 60_000,
            head_time: Duration::from_secs(600),
            ..Limits::default()
        },
        ..Config::default()
    };
    // As the registry's own program does.
    Ok(tokio::spawn(mainstay_registry::run(config, listener, std::future::pending())).await??)
}
