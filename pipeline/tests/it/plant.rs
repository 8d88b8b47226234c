//! A registry, a frontend, an events service and backends in this process.

use std::collections::BTreeMap;
use std::future::{Future, pending};
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use mainstay::contracts::tasks::{TaskState, TaskView};
use mainstay_messaging::Messages;
use mainstay_records::Records;
use pipeline::tasks::{backend, events, frontend};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use crate::http::{Answer, get, post};

/// More than anything here takes; only a defect makes a test wait for it.
const LONG: Duration = Duration::from_secs(30);

pub(crate) struct Plant {
    pub(crate) frontend: SocketAddr,
    pub(crate) events: SocketAddr,
    pub(crate) messages: Messages,
    registry: SocketAddr,
    tasks: Vec<JoinHandle<io::Result<()>>>,
    backends: BTreeMap<u32, JoinHandle<io::Result<()>>>,
    _directory: TempDir,
}

impl Plant {
    /// Without a backend.
    pub(crate) async fn empty() -> Self {
        let _directory = tempfile::tempdir().unwrap();
        let directory = _directory.path().display();
        let (registry, listener) = free_port().await;
        let mut tasks = vec![tokio::spawn(mainstay_registry::run(Default::default(), listener, pending()))];
        let messages = Messages::open(&format!("embedded:{directory}/messages")).await.unwrap();
        let records = Records::open(&format!("sqlite:{directory}/tasks.db"), messages.clone()).await.unwrap();

        let (events, listener) = free_port().await;
        let config = events::Config { registry: registry.into(), messages: messages.clone(), records };
        tasks.push(tokio::spawn(events::run(config, listener, pending())));

        let (frontend, listener) = free_port().await;
        let config = frontend::Config { registry: registry.into(), messages: messages.clone() };
        tasks.push(tokio::spawn(frontend::run(config, listener, pending())));
        Self { frontend, events, messages, registry, tasks, backends: BTreeMap::new(), _directory }
    }

    /// With backends 1 to `count`.
    pub(crate) async fn with_backends(count: u32, delay: Duration) -> Self {
        let mut plant = Self::empty().await;
        for number in 1..=count {
            plant.start_backend(number, delay).await;
        }
        plant
    }

    pub(crate) async fn start_backend(&mut self, number: u32, delay: Duration) {
        let (_, listener) = free_port().await;
        let (registry, messages) = (self.registry.into(), self.messages.clone());
        let config = backend::Config { number, delay, registry, messages };
        self.backends.insert(number, tokio::spawn(backend::run(config, listener, pending())));
    }

    /// Ends a backend as if it had crashed: whatever it had begun is not finished.
    pub(crate) fn lose_backend(&mut self, number: u32) {
        self.backends.remove(&number).unwrap().abort();
    }

    pub(crate) async fn task(&self, body: impl AsRef<[u8]>) -> Answer {
        in_time(post(self.frontend, "/task", body)).await
    }

    /// The newest tasks, at most so many, with this query behind it.
    pub(crate) async fn list(&self, query: &str) -> Vec<TaskView> {
        let answer = get(self.events, &format!("/tasks?{query}")).await;
        serde_json::from_str(&answer.text).unwrap_or_else(|_| panic!("{answer:?}"))
    }

    /// Waits until the newest task is in this state.
    pub(crate) async fn until_newest(&self, state: TaskState) -> TaskView {
        let newest = async {
            loop {
                match self.list("most=1").await.pop() {
                    Some(newest) if newest.state == state => return newest,
                    _ => sleep(Duration::from_millis(20)).await,
                }
            }
        };
        in_time(newest).await
    }
}

impl Drop for Plant {
    fn drop(&mut self) {
        self.tasks.iter().chain(self.backends.values()).for_each(JoinHandle::abort);
    }
}

pub(crate) async fn free_port() -> (SocketAddr, TcpListener) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    (listener.local_addr().unwrap(), listener)
}

pub(crate) async fn in_time<T>(future: impl Future<Output = T>) -> T {
    timeout(LONG, future).await.expect("in time")
}
