//! A stream of JSON lines from the registry, read with as little work as can be: thousands of readers share a core with
//! whoever writes to them.

mod chunks;
mod head;

use std::future::poll_fn;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use mainstay::contracts::wire::Encoded;
use tokio::io::{AsyncRead, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;

use self::chunks::Chunks;
pub(crate) use self::head::Head;
use crate::Failed;

/// What is read at once, on the stack of one call: no reader keeps a buffer of it.
const READ: usize = 4 * 1024;
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
            if !poll_fn(|context| self.fill(context)).await? {
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

    /// Reads what is there. False, once there is nothing more to come.
    fn fill(&mut self, context: &mut Context<'_>) -> Poll<Result<bool, Failed>> {
        let mut buffer = [0; READ];
        let mut buffer = ReadBuf::new(&mut buffer);
        // A read that does not fill the buffer has left nothing behind, and no second one is made to find that out.
        ready!(Pin::new(&mut self.stream).poll_read(context, &mut buffer))?;
        let (read, body) = (buffer.filled(), &mut self.body);
        self.read += read.len() as u64;
        self.chunks.take(read, |part| body.extend_from_slice(part))?;
        Poll::Ready(Ok(!read.is_empty()))
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;
    use std::time::Duration;

    use tokio::io::AsyncReadExt;
    use tokio::net::TcpListener;
    use tokio::time::timeout;

    use super::*;

    #[tokio::test]
    async fn lines_are_whole_and_a_long_one_is_not_kept() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let long = "x".repeat(100_000);
        let body = format!("{long}\nshort\n");
        let answer = format!(
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n{:x}\r\n{body}\r\n5\r\nlast\n\r\n0\r\n\r\n",
            body.len()
        );
        let sent = answer.len() as u64;
        let served = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            stream.read_buf(&mut Vec::with_capacity(1000)).await.unwrap();
            stream.write_all(answer.as_bytes()).await.unwrap();
        });
        let told = async {
            let asked = Encoded { target: "/".to_owned(), body: None };
            let mut lines = Lines::open(address, "GET", &asked).await.unwrap();
            assert_eq!(lines.next().await.unwrap(), Some(long.as_bytes()));
            assert_eq!(lines.next().await.unwrap(), Some(b"short".as_slice()));
            assert_eq!(lines.next().await.unwrap(), Some(b"last".as_slice()));
            assert_eq!(lines.next().await.unwrap(), None);
            assert_eq!(lines.read(), sent);
            assert!(lines.body.capacity() <= KEPT, "{} bytes", lines.body.capacity());
        };
        timeout(Duration::from_secs(5), told).await.unwrap();
        served.await.unwrap();
    }
}
