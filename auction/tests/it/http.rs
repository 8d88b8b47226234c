//! A client that can say anything, and hear anything.

use std::io;
use std::net::SocketAddr;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// What came back on a connection before it was closed; status 0 when that was no answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) text: String,
    pub(crate) body: Value,
}

impl Answer {
    pub(crate) fn message(&self) -> &str {
        self.body["Message"].as_str().unwrap_or_else(|| panic!("no message in {self:?}"))
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines();
        lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }

    /// Each leg as `1 bid` or `4 timed-out`, by number.
    pub(crate) fn legs(&self) -> Vec<String> {
        let legs = self.body["Legs"].as_array().unwrap_or_else(|| panic!("no legs in {self:?}"));
        legs.iter().map(|leg| format!("{} {}", leg["Number"], leg["Outcome"].as_str().unwrap())).collect()
    }
}

pub(crate) fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nhost: auction\r\nconnection: close\r\n\r\n")
}

pub(crate) fn post(path: &str, content_type: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "POST {path} HTTP/1.1\r\nhost: auction\r\nconnection: close\r\ncontent-type: {content_type}\r\n\
         content-length: {length}\r\n\r\n{body}"
    )
}

/// Sends a request that asks to close the connection, and reads to the end.
pub(crate) async fn ask(address: SocketAddr, request: impl AsRef<[u8]>) -> Answer {
    try_ask(address, request).await.unwrap()
}

/// The same of somebody who may not be there.
pub(crate) async fn try_ask(address: SocketAddr, request: impl AsRef<[u8]>) -> io::Result<Answer> {
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(request.as_ref()).await?;
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    let text = String::from_utf8_lossy(&answer);
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or_default();
    let status = head.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.get(..3)?.parse().ok()).unwrap_or_default();
    let (head, text, body) = (head.to_owned(), body.to_owned(), serde_json::from_str(body).unwrap_or_default());
    Ok(Answer { status, head, text, body })
}
