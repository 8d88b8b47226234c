//! Redis, every write on the disk before its reply: a name is set, and whoever listens is told.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use mainstay::contracts::registry::Register;
use redis::aio::MultiplexedConnection;
use redis::{Client, Pipeline, cmd};
use tempfile::TempDir;
use tokio::time::{Instant, sleep};

use super::side::{Side, Writer};
use crate::Failed;
use crate::child::{Child, find, free_port};

/// How long it may take to answer for the first time.
const PATIENCE: Duration = Duration::from_secs(5);

/// A Redis that runs, and one connection, which everybody shares.
pub(crate) struct Redis {
    connection: MultiplexedConnection,
    child: Child,
    _directory: TempDir,
}

impl Redis {
    pub(crate) async fn start(program: &Path) -> Result<Self, Failed> {
        let name = program.to_string_lossy();
        let program =
            find(&name).ok_or_else(|| format!("{name} is not there (Debian: apt-get install redis-server)"))?;
        let directory = tempfile::Builder::new().prefix("mainstay-bench-").tempdir()?;
        let (port, place) = (free_port()?.to_string(), directory.path().to_string_lossy().into_owned());
        let arguments = ["--bind", "127.0.0.1", "--port", &port, "--dir", &place, "--save", ""];
        let arguments = arguments.into_iter().chain(["--appendonly", "yes", "--appendfsync", "always"]);
        let child = Child::start(program, arguments, Stdio::null(), Stdio::inherit())?;
        let client = Client::open(format!("redis://127.0.0.1:{port}"))?;
        let end = Instant::now() + PATIENCE;
        let connection = loop {
            match client.get_multiplexed_async_connection().await {
                Ok(connection) => break connection,
                Err(error) if Instant::now() > end => return Err(error.into()),
                Err(_) => sleep(Duration::from_millis(20)).await,
            }
        };
        Ok(Self { connection, child, _directory: directory })
    }

    pub(crate) async fn stop(self) -> Result<(), Failed> {
        self.child.stop().await
    }
}

struct Setting {
    connection: MultiplexedConnection,
    keys: Vec<String>,
}

impl Side for Redis {
    fn title(&self) -> &'static str {
        "Redis: SET and PUBLISH in MULTI"
    }

    fn process(&self) -> Result<u32, Failed> {
        self.child.id().ok_or_else(|| "Redis has ended".into())
    }

    fn writers(&self, count: u16) -> BoxFuture<'_, Result<Vec<Box<dyn Writer>>, Failed>> {
        let writer = || Box::new(Setting { connection: self.connection.clone(), keys: Vec::new() }) as Box<dyn Writer>;
        let writers = (0..count).map(|_| writer()).collect();
        async { Ok(writers) }.boxed()
    }
}

impl Writer for Setting {
    fn register<'a>(&'a mut self, instance: &'a Register) -> BoxFuture<'a, Result<(), Failed>> {
        async move {
            let (service, key) = (&instance.service, format!("{}/{}", instance.service, instance.id));
            let value = serde_json::to_string(instance)?;
            let mut both = Pipeline::new();
            both.atomic().cmd("SET").arg(&[&key, &value]).ignore().cmd("PUBLISH").arg(&[service, &value]).ignore();
            both.exec_async(&mut self.connection).await?;
            self.keys.push(key);
            Ok(())
        }
        .boxed()
    }

    fn remove(&mut self) -> BoxFuture<'_, Result<(), Failed>> {
        async move {
            for key in self.keys.drain(..) {
                cmd("DEL").arg(&key).exec_async(&mut self.connection).await?;
            }
            Ok(())
        }
        .boxed()
    }
}
