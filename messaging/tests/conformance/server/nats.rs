//! A `nats-server` of our own.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use async_nats::jetstream::stream::{Config, DiscardPolicy, RetentionPolicy};
use mainstay_messaging::Messages;
use serde::Deserialize;
use tempfile::TempDir;
use tokio::process::{Child, Command};
use tokio::time::{sleep, timeout};

use super::{Bounded, Mortal, SMALL, Server};

/// Longer than a server takes to start on a busy machine.
const STARTS: Duration = Duration::from_secs(20);

pub(crate) struct Nats {
    dir: TempDir,
    port: u16,
    process: Child,
}

impl Server for Nats {
    async fn start() -> Option<Self> {
        let dir = tempfile::tempdir().unwrap();
        let process = match launch(dir.path(), "-1").await {
            Ok(process) => process,
            Err(why) if std::env::var_os("MAINSTAY_REQUIRE_ENGINES").is_some_and(|value| value == "1") => {
                panic!("{why}")
            }
            Err(why) => {
                eprintln!("skipped: {why}");
                return None;
            }
        };
        let port = port(dir.path(), &process).await;
        Some(Self { dir, port, process })
    }

    async fn open(&self) -> Messages {
        Messages::open(&format!("nats://127.0.0.1:{}", self.port)).await.unwrap()
    }
}

impl Bounded for Nats {
    /// A stream that is there keeps its bounds.
    async fn start_small() -> Option<Self> {
        let server = Self::start().await?;
        let client = async_nats::connect(format!("127.0.0.1:{}", server.port)).await.unwrap();
        let config = Config {
            name: "mainstay-topic-notes".to_owned(),
            subjects: vec!["mainstay.topic.notes.>".to_owned()],
            retention: RetentionPolicy::Interest,
            discard: DiscardPolicy::New,
            max_messages: SMALL.into(),
            ..Config::default()
        };
        async_nats::jetstream::new(client).create_stream(config).await.unwrap();
        Some(server)
    }
}

impl Mortal for Nats {
    const REMEMBERS_SETTLEMENTS: bool = false;

    async fn kill(&mut self) {
        self.process.kill().await.unwrap();
    }

    async fn revive(&mut self) {
        self.process = launch(self.dir.path(), &self.port.to_string()).await.unwrap();
        assert_eq!(port(self.dir.path(), &self.process).await, self.port);
    }
}

fn program() -> PathBuf {
    if let Some(program) = std::env::var_os("MAINSTAY_NATS_SERVER") {
        return program.into();
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    // Debian has it where only root's path leads.
    let directories = std::env::split_paths(&path).chain([PathBuf::from("/usr/sbin")]);
    let name = PathBuf::from("nats-server");
    directories.map(|directory| directory.join(&name)).find(|program| program.exists()).unwrap_or(name)
}

/// A server that has been started, or why there is none.
async fn launch(dir: &Path, port: &str) -> Result<Child, String> {
    let program = program();
    for sync in ["sync_interval: always", ""] {
        let text = format!(
            "listen: \"127.0.0.1:{port}\"\nports_file_dir: \"{dir}\"\nmax_payload: 2MB\n\
             jetstream {{\n store_dir: \"{dir}/js\"\n {sync}\n}}\n",
            dir = dir.display()
        );
        let file = dir.join("nats.conf");
        tokio::fs::write(&file, text).await.unwrap();
        let command = || {
            let mut command = Command::new(&program);
            command.arg("-c").arg(&file).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
            command
        };
        // Before 2.10 it does not know the setting.
        match command().arg("-t").status().await {
            Ok(status) if status.success() => {
                return Ok(command().arg("-l").arg(dir.join("log")).kill_on_drop(true).spawn().unwrap());
            }
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::NotFound => {
                let advice = "install it (Debian: apt-get install nats-server)";
                return Err(format!("there is no {}: {advice}", program.display()));
            }
            Err(error) => return Err(format!("{} does not start: {error}", program.display())),
        }
    }
    Err(format!("{} refuses its configuration", program.display()))
}

/// Where it listens; it says so when it does.
async fn port(dir: &Path, process: &Child) -> u16 {
    #[derive(Deserialize)]
    struct Ports {
        nats: Vec<String>,
    }
    let id = process.id().expect("it has just been started");
    let program = program();
    let name = program.file_name().expect("a program").display();
    let file = dir.join(format!("{name}_{id}.ports"));
    let said = timeout(STARTS, async {
        loop {
            // Half of it may be written.
            if let Ok(text) = tokio::fs::read(&file).await
                && let Ok(Ports { nats }) = serde_json::from_slice(&text)
            {
                return nats;
            }
            sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
    let said = said.unwrap_or_else(|_| panic!("nats-server has not started: see {}", dir.join("log").display()));
    let (_, port) = said[0].rsplit_once(':').expect("nats://HOST:PORT");
    port.parse().unwrap()
}
