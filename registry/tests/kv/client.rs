//! A client that says exactly what it is told to.

#![expect(clippy::unwrap_used, reason = "what helps a test fails as a test does")]

use std::net::SocketAddr;
use std::time::Duration;

use mainstay_registry::{Config, KvLimits, Limits};
use serde_json::Value;

pub(crate) use crate::running::Running;
use crate::running::{answer, request};

/// An answer, whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }

    pub(crate) fn index(&self) -> u64 {
        self.header("x-consul-index").and_then(|index| index.parse().ok()).unwrap_or_else(|| panic!("{self:?}"))
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub(crate) fn json(&self) -> Value {
        assert_eq!(self.status, 200, "{self:?}");
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The one element of the answer's list.
    pub(crate) fn one(&self) -> Value {
        let mut list = self.json();
        assert_eq!(list.as_array().map(Vec::len), Some(1), "{self:?}");
        list[0].take()
    }

    pub(crate) fn is_true(&self) -> bool {
        self.json().as_bool().unwrap_or_else(|| panic!("{self:?}"))
    }
}

/// Sessions of a second, for who has no ten to wait.
pub(crate) fn short() -> Config {
    let kv = KvLimits { shortest_ttl: Duration::from_millis(100), ..KvLimits::default() };
    Config { limits: Limits { kv, ..Limits::default() }, ..Config::default() }
}

impl Running {
    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, b"").await
    }

    pub(crate) async fn put(&self, path: &str, body: impl AsRef<[u8]>) -> Answer {
        self.ask("PUT", path, body.as_ref()).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        self.ask("DELETE", path, b"").await
    }

    /// Makes a session, and returns its id.
    pub(crate) async fn session(&self, terms: &str) -> String {
        self.put("/v1/session/create", terms).await.json()["ID"].as_str().unwrap().to_owned()
    }

    /// Sends a request and reads its answer; the connection closes after it.
    pub(crate) async fn ask(&self, method: &str, path: &str, body: &[u8]) -> Answer {
        ask(self.address, method, path, body).await
    }
}

pub(crate) async fn ask(address: SocketAddr, method: &str, path: &str, body: &[u8]) -> Answer {
    ask_with(address, "", method, path, body).await
}

/// As [`ask`], with headers, each with its line end.
pub(crate) async fn ask_with(address: SocketAddr, headers: &str, method: &str, path: &str, body: &[u8]) -> Answer {
    let (status, head, body) = answer(request(address, headers, method, path, body).await).await;
    Answer { status, head, body }
}
