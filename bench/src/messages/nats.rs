//! NATS JetStream, every message on disk before its acknowledgement.

use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_nats::jetstream::consumer::pull;
use async_nats::jetstream::{self, Context, stream};
use async_nats::{Client, HeaderMap, Subscriber};
use bytes::Bytes;
use futures_util::future::BoxFuture;
use futures_util::{FutureExt as _, StreamExt as _};
use parking_lot::Mutex;
use tempfile::TempDir;
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep};
use tokio_util::task::AbortOnDropHandle;

use super::options::Options;
use super::side::{Side, Text};
use crate::Failed;
use crate::child::{Child, find};

/// How long the server may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// Where replies go, with the correlation behind it; and the header that says so.
const REPLIES: &str = "replies";
const REPLY_TO: &str = "Reply-To";

type Waiting = Arc<Mutex<HashMap<String, oneshot::Sender<()>>>>;

struct Nats {
    jetstream: Context,
    told: stream::Stream,
    body: Bytes,
    asked: AtomicU64,
    waiting: Waiting,
    _tasks: [AbortOnDropHandle<()>; 2],
    _child: Child,
    _directory: TempDir,
}

pub(crate) async fn start(options: &Options) -> Result<Box<dyn Side>, Failed> {
    let name = options.nats.to_string_lossy();
    let program = find(&name).ok_or_else(|| format!("{name} is not there (Debian: apt-get install nats-server)"))?;
    let directory = tempfile::Builder::new().prefix("mainstay-bench-").tempdir()?;
    let (file, place) = (directory.path().join("configuration"), directory.path().display());
    fs::write(
        &file,
        format!(
            "listen: \"127.0.0.1:-1\"\nports_file_dir: \"{place}\"\njetstream {{\n  store_dir: \"{place}/messages\"\n  sync_interval: always\n}}\n"
        ),
    )?;
    let checked = Command::new(&program).arg("-t").arg("-c").arg(&file).output()?;
    if !checked.status.success() {
        let why = String::from_utf8_lossy(&checked.stderr);
        return Err(format!("{name} cannot write every message to the disk (2.10 can): {}", why.trim()).into());
    }
    let child = Child::start(program, ["-c".as_ref(), file.as_os_str()], Stdio::null(), Stdio::null())?;
    let client = async_nats::connect(address(directory.path()).await?).await?;
    let jetstream = jetstream::new(client.clone());
    let told = made(&jetstream, "told", stream::RetentionPolicy::Limits).await?;
    let asked = made(&jetstream, "asked", stream::RetentionPolicy::WorkQueue).await?;
    let workers =
        pull::Config { durable_name: Some("workers".to_owned()), max_ack_pending: 10_000, ..Default::default() };
    let workers = asked.create_consumer(workers).await?;
    let replies = client.subscribe(format!("{REPLIES}.*")).await?;
    let waiting = Waiting::default();
    let _tasks = [
        AbortOnDropHandle::new(tokio::spawn(work(client, workers))),
        AbortOnDropHandle::new(tokio::spawn(read(replies, Arc::clone(&waiting)))),
    ];
    let body = Bytes::from(Text::new().text);
    let asked = AtomicU64::new(0);
    Ok(Box::new(Nats { jetstream, told, body, asked, waiting, _tasks, _child: child, _directory: directory }))
}

/// The server writes a file that says on which port it listens.
async fn address(directory: &Path) -> Result<String, Failed> {
    let end = Instant::now() + PATIENCE;
    loop {
        let files = fs::read_dir(directory)?.flatten().map(|entry| entry.path());
        let told = files.filter(|file| file.extension().is_some_and(|kind| kind == "ports"));
        let told = told.filter_map(|file| serde_json::from_slice::<serde_json::Value>(&fs::read(file).ok()?).ok());
        let mut addresses = told.filter_map(|ports| Some(ports["nats"][0].as_str()?.to_owned()));
        match addresses.next() {
            Some(address) => return Ok(address),
            None if Instant::now() > end => return Err("nats-server does not say where it listens".into()),
            None => sleep(Duration::from_millis(20)).await,
        }
    }
}

async fn made(jetstream: &Context, name: &str, retention: stream::RetentionPolicy) -> Result<stream::Stream, Failed> {
    let (subjects, storage) = (vec![name.to_owned()], stream::StorageType::File);
    let config = stream::Config { name: name.to_owned(), subjects, retention, storage, ..Default::default() };
    Ok(jetstream.create_stream(config).await?)
}

impl Side for Nats {
    fn title(&self) -> &'static str {
        "NATS JetStream, sync always"
    }

    fn publish(&self) -> BoxFuture<'_, Result<(), Failed>> {
        async { Ok(self.jetstream.publish("told", self.body.clone()).await?.await.map(drop)?) }.boxed()
    }

    fn ask(&self) -> BoxFuture<'_, Result<(), Failed>> {
        async {
            let (answer, answered) = oneshot::channel();
            let reply_to = format!("{REPLIES}.{}", self.asked.fetch_add(1, Ordering::Relaxed));
            self.waiting.lock().insert(reply_to.clone(), answer);
            let mut headers = HeaderMap::new();
            headers.insert(REPLY_TO, reply_to);
            self.jetstream.publish_with_headers("asked", headers, self.body.clone()).await?.await?;
            Ok(answered.await?)
        }
        .boxed()
    }

    fn empty(&self, _: u64) -> BoxFuture<'_, Result<(), Failed>> {
        async { Ok(self.told.purge().await.map(drop)?) }.boxed()
    }
}

async fn work(client: Client, workers: jetstream::consumer::Consumer<pull::Config>) {
    let Ok(mut requests) = workers.messages().await else { return };
    while let Some(request) = requests.next().await {
        let Ok(request) = request else { continue };
        let reply_to = request.headers.as_ref().and_then(|headers| headers.get(REPLY_TO)).map(ToString::to_string);
        // If either fails, whoever asked waits, and the slice says so.
        if let Some(reply_to) = reply_to {
            let _ = client.publish(reply_to, request.payload.clone()).await;
        }
        let _ = request.ack().await;
    }
}

async fn read(mut replies: Subscriber, waiting: Waiting) {
    while let Some(reply) = replies.next().await {
        if let Some(answer) = waiting.lock().remove(reply.subject.as_str()) {
            // Whoever asked waits for it.
            let _ = answer.send(());
        }
    }
}
