//! A connection to the registry that one task calls over, with as little work as can be: clients share the cores with the
//! server that is measured.

use std::net::SocketAddr;

use mainstay::contracts::{Call, wire};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::Failed;

/// No answer that is read here is longer.
const LONGEST: usize = 16 << 20;

#[derive(Debug)]
pub(crate) struct Connection {
    stream: TcpStream,
    address: SocketAddr,
    /// A request, and then what has been read of its answer.
    buffer: Vec<u8>,
}

impl Connection {
    pub(crate) async fn open(address: SocketAddr) -> Result<Self, Failed> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, address, buffer: Vec::new() })
    }

    pub(crate) async fn several(address: SocketAddr, count: u16) -> Result<Vec<Self>, Failed> {
        let mut connections = Vec::new();
        for _ in 0..count {
            connections.push(Self::open(address).await?);
        }
        Ok(connections)
    }

    pub(crate) async fn call<C: Call>(&mut self, call: &C) -> Result<C::Response, Failed> {
        let wire::Encoded { target, body } = wire::encode(call)?;
        let (method, address, body) = (C::METHOD, self.address, body.unwrap_or_default());
        let head = format!("{method} {target} HTTP/1.1\r\nhost: {address}\r\ncontent-length: {}\r\n\r\n", body.len());
        self.buffer.clear();
        self.buffer.extend_from_slice(head.as_bytes());
        self.buffer.extend_from_slice(&body);
        self.stream.write_all(&self.buffer).await?;
        self.buffer.clear();
        let head = loop {
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                return Err(format!("{method} {}: the connection has ended", C::ROUTE).into());
            }
            match Head::of(&self.buffer)? {
                Some(head) if self.buffer.len() >= head.end + head.body => break head,
                _ => {}
            }
        };
        let body = &self.buffer[head.end..];
        if !head.is_ok {
            return Err(format!("{method} {}: {}", C::ROUTE, String::from_utf8_lossy(&self.buffer)).into());
        }
        Ok(serde_json::from_slice(body)?)
    }
}

/// What matters of the head of an answer.
#[derive(Debug, PartialEq)]
struct Head {
    is_ok: bool,
    end: usize,
    /// How long the body is.
    body: usize,
}

impl Head {
    /// None, as long as it is not whole.
    fn of(read: &[u8]) -> Result<Option<Self>, Failed> {
        let Some(end) = read.windows(4).position(|four| four == b"\r\n\r\n") else { return Ok(None) };
        let mut lines = std::str::from_utf8(&read[..end])?.lines();
        let is_ok = lines.next().is_some_and(|status| status.starts_with("HTTP/1.1 200 "));
        let length = |line: &str| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>())
        };
        let body = lines.find_map(length).ok_or("an answer does not say how long it is")??;
        if body > LONGEST {
            return Err(format!("an answer is {body} bytes long").into());
        }
        Ok(Some(Self { is_ok, end: end + 4, body }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_read_when_it_is_whole() {
        let answer = b"HTTP/1.1 200 OK\r\nx: y\r\nContent-Length: 2\r\n\r\n{}";
        let end = answer.len() - 2;
        for length in 0..answer.len() {
            let whole = (length >= end).then_some(Head { is_ok: true, end, body: 2 });
            assert_eq!(Head::of(&answer[..length]).unwrap(), whole, "{length} bytes");
        }
        assert!(!Head::of(b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n").unwrap().unwrap().is_ok);
        assert!(Head::of(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n").is_err());
    }
}
