//! A stream of JSON lines, as the registry sends them.

use std::future::poll_fn;

use bytes::{Bytes, BytesMut};
use hyper::body::Incoming;

use super::Broken;
use super::connection::Connection;

/// Longer lines end the stream. Ten thousand instances with their metadata are a few megabytes.
const LINE_LIMIT: usize = 32 * 1024 * 1024;

#[derive(Debug)]
pub(crate) struct Lines {
    connection: Box<Connection>,
    body: Incoming,
    read: BytesMut,
}

impl Lines {
    pub(super) fn new(connection: Box<Connection>, body: Incoming) -> Self {
        Self { connection, body, read: BytesMut::new() }
    }

    /// The next line without its end, or `None` when the stream has ended.
    ///
    /// Cancel safe: what was read of a line is kept for the next call.
    pub(crate) async fn next(&mut self) -> Result<Option<Bytes>, Broken> {
        let mut searched = 0;
        loop {
            if let Some(end) = self.read[searched..].iter().position(|byte| *byte == b'\n') {
                let line = self.read.split_to(searched + end + 1).freeze();
                return Ok(Some(line.slice(..searched + end)));
            }
            searched = self.read.len();
            if searched > LINE_LIMIT {
                return Err(Broken::TooLarge(LINE_LIMIT));
            }
            match poll_fn(|cx| self.connection.poll_frame(&mut self.body, cx)).await {
                None => return Ok(None),
                Some(Err(error)) => return Err(error),
                Some(Ok(frame)) => {
                    if let Some(data) = frame.data_ref() {
                        self.read.extend_from_slice(data);
                    }
                }
            }
        }
    }

    /// The first line, or all there is if it has no end: an answer that is not a stream need not be lines.
    ///
    /// Cancel safe.
    pub(crate) async fn only(&mut self) -> Result<Bytes, Broken> {
        let line = self.next().await?;
        Ok(line.unwrap_or_else(|| self.read.split().freeze()))
    }
}
