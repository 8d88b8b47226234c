//! A registry on a free port, and a client that says exactly what it is told to.

#![expect(clippy::unwrap_used, reason = "what helps a test fails as a test does")]

use std::net::SocketAddr;
use std::time::Duration;

use mainstay_registry::{Config, run};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// What is longer than this has not happened.
pub(crate) const SOON: Duration = Duration::from_secs(5);

/// A registry that runs until it is stopped.
pub(crate) struct Agent {
    pub(crate) address: SocketAddr,
    stop: oneshot::Sender<()>,
    served: JoinHandle<std::io::Result<()>>,
}

/// An answer, whole.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }
}

impl Agent {
    pub(crate) async fn start(config: Config) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let served = tokio::spawn(run(config, listener, async {
            let _ = stopped.await;
        }));
        Self { address, stop, served }
    }

    pub(crate) async fn stop(self) {
        self.stop.send(()).unwrap();
        self.served.await.unwrap().unwrap();
    }

    /// Sends a request; its answer ends with the connection.
    pub(crate) async fn send(&self, method: &str, path: &str, body: &str) -> TcpStream {
        self.send_with("", method, path, body).await
    }

    async fn send_with(&self, header: &str, method: &str, path: &str, body: &str) -> TcpStream {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        let length = body.len();
        let head = format!("{method} {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{header}");
        let request = format!("{head}content-length: {length}\r\n\r\n{body}");
        stream.write_all(request.as_bytes()).await.unwrap();
        stream
    }

    pub(crate) async fn ask(&self, method: &str, path: &str, body: &str) -> Answer {
        answer(self.send(method, path, body).await).await
    }

    /// Shows a token, as Consul's clients do.
    pub(crate) async fn ask_as(&self, token: &str, method: &str, path: &str, body: &str) -> Answer {
        answer(self.send_with(&format!("x-consul-token: {token}\r\n"), method, path, body).await).await
    }

    /// What is there.
    pub(crate) async fn get(&self, path: &str) -> Value {
        let answer = self.ask("GET", path, "").await;
        assert_eq!(answer.status, 200, "{path}: {answer:?}");
        answer.json()
    }

    pub(crate) async fn put(&self, path: &str, body: &str) {
        let answer = self.ask("PUT", path, body).await;
        assert_eq!((answer.status, answer.body.as_str()), (200, ""), "{path}");
    }

    pub(crate) async fn register(&self, body: &str) {
        self.put("/v1/agent/service/register", body).await;
    }
}

async fn answer(mut stream: TcpStream) -> Answer {
    let mut bytes = Vec::new();
    timeout(SOON, stream.read_to_end(&mut bytes)).await.expect("an answer soon").unwrap();
    let text = String::from_utf8(bytes).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Answer { status, head: head.to_lowercase(), body: body.to_owned() }
}
