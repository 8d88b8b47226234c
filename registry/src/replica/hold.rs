//! A lease connection whose other end is at the writer.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{Stream, stream};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use mainstay_contracts::Address;
use mainstay_contracts::registry::HoldFrame;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::replicas::Replicas;
use crate::directory::Directory;
use crate::line::line;

/// How long the writer may take to note that a client has gone.
const TELL: Duration = Duration::from_secs(2);

/// Stands between a client and the writer, who cannot see for itself whether it is the client that goes, or this replica.
#[derive(Debug)]
pub(super) struct Passed {
    directory: Arc<Directory>,
    replicas: Arc<Replicas>,
    writer: Address,
    number: u64,
    /// Cancelled when another one writes.
    turn: CancellationToken,
    /// What the writer says; kept until it knows that the client has gone.
    lines: Option<Incoming>,
}

impl Passed {
    pub(super) fn new(
        directory: Arc<Directory>,
        replicas: Arc<Replicas>,
        (writer, turn): (Address, CancellationToken),
        number: u64,
    ) -> Self {
        Self { directory, replicas, writer, number, turn, lines: None }
    }

    /// What the writer says, for as long as it does, and it `stands` here: that is asked before every line.
    pub(super) fn lines(
        mut self,
        lines: Incoming,
        stands: impl FnMut() -> bool + Send + 'static,
    ) -> impl Stream<Item = Result<Bytes, Infallible>> {
        self.lines = Some(lines);
        stream::unfold(Some((self, stands)), |state| async {
            let (mut passed, mut stands) = state?;
            match passed.next().await {
                Ok(Some(line)) if stands() => return Some((Ok(line), Some((passed, stands)))),
                // Also where it may not be told any more, its client has not gone.
                Ok(_) => passed.lines = None,
                Err(BrokenOff) => {
                    // The client is told, and comes back: it has not gone.
                    passed.lines = None;
                    let closing = HoldFrame::Closing { return_in_ms: passed.directory.return_in_ms() };
                    return Some((Ok(line(&closing)), None));
                }
            }
            None
        })
    }

    /// What the writer says next; nothing at its end.
    async fn next(&mut self) -> Result<Option<Bytes>, BrokenOff> {
        let Some(lines) = self.lines.as_mut() else { return Ok(None) };
        // It says something with every bookmark.
        let patience = 3 * self.directory.config().bookmark_every;
        loop {
            let frame = self.turn.run_until_cancelled(timeout(patience, lines.frame())).await.ok_or(BrokenOff)?;
            let Some(frame) = frame.map_err(|_| BrokenOff)? else { return Ok(None) };
            match frame.map_err(|_| BrokenOff)?.into_data() {
                Ok(data) if !data.is_empty() => return Ok(Some(data)),
                _ => {}
            }
        }
    }
}

/// The writer does not say anything any more, or this replica stops.
struct BrokenOff;

impl Drop for Passed {
    fn drop(&mut self) {
        let Some(lines) = self.lines.take() else { return };
        // Who was stopped has been given up by clients that are alive.
        if !self.replicas.is_sure() || self.directory.is_stalled() || self.directory.is_stopping() {
            return;
        }
        let (replicas, writer, number) = (Arc::clone(&self.replicas), self.writer.clone(), self.number);
        tokio::spawn(async move {
            // What is not told now is found out when the lease stops beating.
            let _ = timeout(TELL, replicas.link.ask::<()>(&writer, &format!("/replica/gone/{number}"))).await;
            drop(lines);
        });
    }
}
