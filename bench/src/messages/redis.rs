//! Redis Streams, every write on disk before its reply.

use std::collections::HashMap;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use parking_lot::Mutex;
use redis::aio::MultiplexedConnection;
use redis::streams::StreamReadReply;
use redis::{Client, Pipeline, cmd};
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
/// How many are read at once.
const MANY: usize = 256;

type Waiting = Arc<Mutex<HashMap<String, oneshot::Sender<()>>>>;

struct Redis {
    connection: MultiplexedConnection,
    body: String,
    asked: AtomicU64,
    waiting: Waiting,
    _tasks: [AbortOnDropHandle<()>; 2],
    _child: Child,
    _directory: TempDir,
}

pub(crate) async fn start(options: &Options) -> Result<Box<dyn Side>, Failed> {
    let name = options.redis.to_string_lossy();
    let program = find(&name).ok_or_else(|| format!("{name} is not there (Debian: apt-get install redis-server)"))?;
    let directory = tempfile::Builder::new().prefix("mainstay-bench-").tempdir()?;
    let socket = directory.path().join("socket");
    let (socket, place) = (socket.to_string_lossy().into_owned(), directory.path().to_string_lossy().into_owned());
    let arguments = "--port 0 --appendonly yes --appendfsync always --daemonize no --save".split(' ');
    let arguments = arguments.map(str::to_owned).chain([
        String::new(),
        "--unixsocket".into(),
        socket.clone(),
        "--dir".into(),
        place,
    ]);
    let child = Child::start(program, arguments, Stdio::null(), Stdio::inherit())?;
    let client = Client::open(format!("redis+unix://{socket}"))?;
    let end = Instant::now() + PATIENCE;
    let mut connection = loop {
        match client.get_multiplexed_async_connection().await {
            Ok(connection) => break connection,
            Err(error) if Instant::now() > end => return Err(error.into()),
            Err(_) => sleep(Duration::from_millis(20)).await,
        }
    };
    cmd("XGROUP").arg(&["CREATE", "asked", "workers", "$", "MKSTREAM"]).exec_async(&mut connection).await?;
    let waiting = Waiting::default();
    let worker = work(client.get_multiplexed_async_connection().await?);
    let reader = read(client.get_multiplexed_async_connection().await?, Arc::clone(&waiting));
    let _tasks = [AbortOnDropHandle::new(tokio::spawn(worker)), AbortOnDropHandle::new(tokio::spawn(reader))];
    let (body, asked) = (Text::new().text, AtomicU64::new(0));
    Ok(Box::new(Redis { connection, body, asked, waiting, _tasks, _child: child, _directory: directory }))
}

impl Side for Redis {
    fn title(&self) -> &'static str {
        "Redis Streams, appendfsync always"
    }

    fn publish(&self) -> BoxFuture<'_, Result<(), Failed>> {
        let mut connection = self.connection.clone();
        async move { Ok(cmd("XADD").arg(&["told", "*", "body", &*self.body]).exec_async(&mut connection).await?) }
            .boxed()
    }

    fn ask(&self) -> BoxFuture<'_, Result<(), Failed>> {
        let mut connection = self.connection.clone();
        async move {
            let (answer, answered) = oneshot::channel();
            let correlation = self.asked.fetch_add(1, Ordering::Relaxed).to_string();
            self.waiting.lock().insert(correlation.clone(), answer);
            let request = ["asked", "*", "correlation", &*correlation, "body", &*self.body];
            cmd("XADD").arg(&request).exec_async(&mut connection).await?;
            Ok(answered.await?)
        }
        .boxed()
    }

    fn empty(&self, _: u64) -> BoxFuture<'_, Result<(), Failed>> {
        let mut connection = self.connection.clone();
        async move { Ok(cmd("XTRIM").arg(&["told", "MAXLEN", "0"]).exec_async(&mut connection).await?) }.boxed()
    }
}

/// Answers requests: the replies and the acknowledgement of many travel together.
async fn work(mut connection: MultiplexedConnection) {
    connection.set_response_timeout(PATIENCE * 2);
    loop {
        let mut request = cmd("XREADGROUP");
        request.arg(&["GROUP", "workers", "one", "COUNT"]).arg(MANY).arg(&["BLOCK", "1000", "STREAMS", "asked", ">"]);
        let Ok(Some(read)) = request.query_async::<Option<StreamReadReply>>(&mut connection).await else { continue };
        let mut answers = Pipeline::new();
        for entry in read.keys.iter().flat_map(|stream| &stream.ids) {
            let correlation: String = entry.get("correlation").unwrap_or_default();
            let body: String = entry.get("body").unwrap_or_default();
            answers.cmd("XADD").arg(&[
                "replies",
                "MAXLEN",
                "~",
                "10000",
                "*",
                "correlation",
                &*correlation,
                "body",
                &*body,
            ]);
            answers.cmd("XACK").arg(&["asked", "workers", &*entry.id]);
            answers.cmd("XDEL").arg(&["asked", &*entry.id]);
        }
        // If it fails, whoever asked waits, and the slice says so.
        let _ = answers.exec_async(&mut connection).await;
    }
}

async fn read(mut connection: MultiplexedConnection, waiting: Waiting) {
    connection.set_response_timeout(PATIENCE * 2);
    let mut last = "0".to_owned();
    loop {
        let mut request = cmd("XREAD");
        request.arg("COUNT").arg(MANY).arg(&["BLOCK", "1000", "STREAMS", "replies", &*last]);
        let Ok(Some(read)) = request.query_async::<Option<StreamReadReply>>(&mut connection).await else { continue };
        for entry in read.keys.iter().flat_map(|stream| &stream.ids) {
            let correlation: String = entry.get("correlation").unwrap_or_default();
            if let Some(answer) = waiting.lock().remove(&correlation) {
                // Whoever asked waits for it.
                let _ = answer.send(());
            }
            last.clone_from(&entry.id);
        }
    }
}
