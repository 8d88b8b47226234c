//! A stream of JSON lines from the registry, read with as little work as can be: thousands of readers share a core with
//! whoever writes to them.

mod chunks;
mod head;

use std::io::ErrorKind;
use std::net::SocketAddr;

use mainstay::contracts::wire::Encoded;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use self::chunks::Chunks;
pub(crate) use self::head::Head;
use crate::Failed;

/// What is read at once, on the stack of one call: no reader keeps a buffer of it.
const READ: usize = 16 * 1024;
/// What a reader may keep for its next line.
const KEPT: usize = 1024;

#[derive(Debug)]
pub(crate) struct Lines {
    stream: TcpStream,
    chunks: Chunks,
    body: Vec<u8>,
    /// Where the next line begins, and how far its end has been looked for.
    begin: usize,
    looked: usize,
    read: u64,
}

impl Lines {
    pub(crate) async fn open(address: SocketAddr, method: &str, asked: &Encoded) -> Result<Self, Failed> {
        let mut stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let body = asked.body.as_deref().unwrap_or_default();
        let head =
            format!("{method} {} HTTP/1.1\r\nhost: {address}\r\ncontent-length: {}\r\n\r\n", asked.target, body.len());
        stream.write_all(&[head.as_bytes(), body].concat()).await?;
        Ok(Self { stream, chunks: Chunks::default(), body: Vec::new(), begin: 0, looked: 0, read: 0 })
    }

    /// Bytes that the server has sent, so far as they were read.
    pub(crate) fn read(&self) -> u64 {
        self.read
    }

    /// The next line, without its end. None once the server has ended the stream.
    pub(crate) async fn next(&mut self) -> Result<Option<&[u8]>, Failed> {
        loop {
            if let Some(length) = self.body[self.looked..].iter().position(|byte| *byte == b'\n') {
                let line = self.begin..self.looked + length;
                self.begin = line.end + 1;
                self.looked = self.begin;
                return Ok(Some(&self.body[line]));
            }
            self.forget_what_was_told();
            self.stream.readable().await?;
            if !self.fill()? {
                return Ok(None);
            }
        }
    }

    fn forget_what_was_told(&mut self) {
        self.body.drain(..self.begin);
        if self.body.capacity() > KEPT && self.body.len() < KEPT && self.begin > 0 {
            self.body.shrink_to(KEPT);
        }
        self.begin = 0;
        self.looked = self.body.len();
    }

    fn fill(&mut self) -> Result<bool, Failed> {
        let mut buffer = [0; READ];
        match self.stream.try_read(&mut buffer) {
            Ok(0) => Ok(false),
            Ok(length) => {
                self.read += length as u64;
                let body = &mut self.body;
                self.chunks.take(&buffer[..length], |part| body.extend_from_slice(part))?;
                Ok(true)
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(true),
            Err(error) => Err(error.into()),
        }
    }
}
