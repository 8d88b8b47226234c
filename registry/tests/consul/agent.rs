//! A client of Consul's that says exactly what it is told to.

#![expect(clippy::unwrap_used, reason = "what helps a test fails as a test does")]

use serde_json::Value;
use tokio::net::TcpStream;

use crate::running::{self, request};
pub(crate) use crate::running::{Running as Agent, SOON};

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
    /// Sends a request; its answer ends with the connection.
    pub(crate) async fn send(&self, method: &str, path: &str, body: &str) -> TcpStream {
        request(self.address, "", method, path, body.as_bytes()).await
    }

    pub(crate) async fn ask(&self, method: &str, path: &str, body: &str) -> Answer {
        answer(self.send(method, path, body).await).await
    }

    /// Shows a token, as Consul's clients do.
    pub(crate) async fn ask_as(&self, token: &str, method: &str, path: &str, body: &str) -> Answer {
        answer(request(self.address, &format!("x-consul-token: {token}\r\n"), method, path, body.as_bytes()).await)
            .await
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

async fn answer(stream: TcpStream) -> Answer {
    let (status, head, body) = running::answer(stream).await;
    Answer { status, head, body: String::from_utf8(body).unwrap() }
}
