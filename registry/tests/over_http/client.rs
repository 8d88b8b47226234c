//! A client that says exactly what it is told to.

#![expect(clippy::unwrap_used, reason = "what helps a test fails as a test does")]

use mainstay_contracts::registry::Listing;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::running::{self, request};
pub(crate) use crate::running::{Running, SOON};

/// An answer, whole.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn reason(&self) -> String {
        let json: Value = serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"));
        json["reason"].as_str().unwrap_or_else(|| panic!("no reason: {self:?}")).to_owned()
    }
}

impl Running {
    pub(crate) async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// Sends a request and reads its answer; the connection closes after it.
    pub(crate) async fn ask(&self, method: &str, path: &str, body: &str) -> Answer {
        self.ask_with(method, path, &[], body).await
    }

    /// As [`ask`](Self::ask), with more head lines.
    pub(crate) async fn ask_with(&self, method: &str, path: &str, lines: &[&str], body: &str) -> Answer {
        let lines: String = lines.iter().map(|line| format!("{line}\r\n")).collect();
        answer(request(self.address, &lines, method, path, body.as_bytes()).await).await
    }

    /// Sends bytes and reads an answer.
    pub(crate) async fn send(&self, bytes: &[u8]) -> Answer {
        let mut stream = self.connect().await;
        stream.write_all(bytes).await.unwrap();
        answer(stream).await
    }

    pub(crate) async fn register(&self, id: &str, port: u16) {
        let body = format!(r#"{{"address":"127.0.0.1:{port}"}}"#);
        let answer = self.ask("PUT", &format!("/v1/services/ratings/instances/{id}"), &body).await;
        assert_eq!(answer.status, 200, "{answer:?}");
    }

    pub(crate) async fn ids(&self) -> Vec<String> {
        let answer = self.ask("GET", "/v1/services/ratings", "").await;
        let listing: Listing = serde_json::from_str(&answer.body).unwrap();
        listing.instances.iter().map(|listed| listed.instance.id.to_string()).collect()
    }

    pub(crate) async fn watch(&self) -> Lines {
        self.lines("GET /v1/services/ratings/watch HTTP/1.1\r\nhost: x\r\n\r\n").await
    }

    pub(crate) async fn hold(&self, id: &str, port: u16, incarnation: u64) -> Lines {
        let body = format!(r#"{{"address":"127.0.0.1:{port}","incarnation":{incarnation}}}"#);
        let length = body.len();
        let head = format!("POST /v1/services/ratings/instances/{id}/hold HTTP/1.1\r\nhost: x\r\n");
        self.lines(&format!("{head}content-length: {length}\r\n\r\n{body}")).await
    }

    /// Asks for what does not end, and reads the head of the answer. What it stands for goes when it is dropped.
    pub(crate) async fn start_stream(&self, method: &str, path: &str, body: &str) -> (String, Lines) {
        self.start_stream_with(method, path, &[], body).await
    }

    /// As [`start_stream`](Self::start_stream), with more head lines.
    pub(crate) async fn start_stream_with(
        &self,
        method: &str,
        path: &str,
        lines: &[&str],
        body: &str,
    ) -> (String, Lines) {
        let length = format!("content-length: {}", body.len());
        let lines = [&["host: x", &length], lines].concat().join("\r\n");
        let request = format!("{method} {path} HTTP/1.1\r\n{lines}\r\n\r\n{body}");
        let mut lines = self.lines(&request).await;
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            let read = timeout(SOON, lines.0.read_line(&mut head)).await.expect("a head soon").unwrap();
            assert!(read > 0, "{head:?} is no head");
        }
        (head.to_lowercase(), lines)
    }

    async fn lines(&self, request: &str) -> Lines {
        let mut stream = self.connect().await;
        stream.write_all(request.as_bytes()).await.unwrap();
        Lines(BufReader::new(stream))
    }
}

/// Reads one answer to its end, which is the end of its connection.
pub(crate) async fn answer(stream: TcpStream) -> Answer {
    let (status, head, body) = running::answer(stream).await;
    Answer { status, head, body: String::from_utf8(body).unwrap() }
}

/// A stream of JSON lines.
pub(crate) struct Lines(BufReader<TcpStream>);

impl Lines {
    /// The next frame, or nothing when the stream has ended.
    pub(crate) async fn next<F: DeserializeOwned>(&mut self) -> Option<F> {
        loop {
            let mut line = String::new();
            if timeout(SOON, self.0.read_line(&mut line)).await.expect("a line soon").ok()? == 0 {
                return None;
            }
            // Between the frames stand the head of the answer and the lengths of its chunks, the last of them 0.
            if line == "0\r\n" {
                return None;
            }
            if line.starts_with('{') {
                return Some(serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}")));
            }
        }
    }
}
