//! Mainstay: the hub in a process of its own, found through a registry and called through the SDK.

use std::env;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use mainstay::contracts::Message;
use mainstay::contracts::hub::Rules;
use mainstay_messaging::{Asker, Consumer, Messages};
use serde::{Deserialize, Serialize};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::Mutex;
use tokio::time::{Instant, sleep};
use tokio_util::task::AbortOnDropHandle;

use super::side::{Side, Text};
use crate::Failed;
use crate::child::{Child, free_port};

/// How long the hub may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// How many the worker answers at once.
const MANY: usize = 256;

#[derive(Debug, Serialize, Deserialize)]
struct Told(Text);
impl Message for Told {
    const TOPIC: &'static str = "told";
}

#[derive(Debug, Serialize, Deserialize)]
struct Asked(Text);
impl Message for Asked {
    const TOPIC: &'static str = "asked";
}

#[derive(Debug, Serialize, Deserialize)]
struct Reply(Text);
impl Message for Reply {
    const TOPIC: &'static str = "replies";
}

struct Ours {
    messages: Messages,
    asker: Asker<Reply>,
    told: Mutex<Consumer<Told>>,
    _worker: AbortOnDropHandle<()>,
    _children: [Child; 2],
    _directory: TempDir,
}

pub(crate) async fn start() -> Result<Box<dyn Side>, Failed> {
    let directory = tempfile::Builder::new().prefix("mainstay-bench-").tempdir()?;
    let (registry_port, hub_port) = (free_port()?, free_port()?);
    let registry = format!("127.0.0.1:{registry_port}");
    let myself = env::current_exe()?;
    let part = |arguments: Vec<String>| Child::start(&myself, arguments, Stdio::null(), Stdio::inherit());
    let data = directory.path().to_string_lossy().into_owned();
    let _children = [
        part(vec!["registry".into(), registry_port.to_string()])?,
        part(vec!["hub".into(), hub_port.to_string(), data, format!("http://{registry}")])?,
    ];
    let messages = Messages::open(&format!("hub://{registry}")).await?;
    let end = Instant::now() + PATIENCE;
    while let Err(error) = messages.declare::<Told>("bench", Rules::default()).await {
        if Instant::now() > end {
            return Err(error.into());
        }
        sleep(Duration::from_millis(20)).await;
    }
    messages.declare::<Asked>("workers", Rules::default()).await?;
    let (asker, told) = (messages.asker().await?, Mutex::new(messages.consume("bench")?));
    let _worker = AbortOnDropHandle::new(tokio::spawn(work(messages.clone(), messages.consume("workers")?)));
    Ok(Box::new(Ours { messages, asker, told, _worker, _children, _directory: directory }))
}

async fn work(messages: Messages, requests: Consumer<Asked>) {
    let answer = |request: Arc<mainstay_messaging::Delivery<Asked>>| {
        let messages = messages.clone();
        async move { Ok(messages.reply(&request, &Reply(request.message.0.clone())).await?) }
    };
    // It ends with whoever holds it.
    let _ = requests.run(MANY, answer, std::future::pending()).await;
}

impl Side for Ours {
    fn title(&self) -> &'static str {
        "mainstay's hub"
    }

    fn publish(&self) -> BoxFuture<'_, Result<(), Failed>> {
        async { Ok(self.messages.tell(&Told(Text::new())).await.map(drop)?) }.boxed()
    }

    fn ask(&self) -> BoxFuture<'_, Result<(), Failed>> {
        async { Ok(self.asker.ask(&Asked(Text::new()), Instant::now() + PATIENCE).await.map(drop)?) }.boxed()
    }

    fn empty(&self, published: u64) -> BoxFuture<'_, Result<(), Failed>> {
        async move {
            let mut told = self.told.lock().await;
            for _ in 0..published {
                told.next().await?.ack().await?;
            }
            Ok(())
        }
        .boxed()
    }
}

async fn listen(port: u16) -> Result<TcpListener, Failed> {
    Ok(TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port))).await?)
}

/// The child's side: the registry.
pub(crate) async fn registry(port: u16) -> Result<(), Failed> {
    let config = mainstay_registry::Config::default();
    Ok(mainstay_registry::run(config, listen(port).await?, std::future::pending()).await?)
}

/// The child's side: the hub.
pub(crate) async fn hub(port: u16, data: &Path, registry: &str) -> Result<(), Failed> {
    let config = mainstay_messaging::hub::Config::new(data, registry.parse()?);
    Ok(mainstay_messaging::hub::run(config, listen(port).await?, std::future::pending()).await?)
}
