//! `mainstay-registry watch`.

use std::io;
use std::process::ExitCode;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::body::Body;
use mainstay_contracts::registry::{BOOKMARK_EVERY, GoneReason, Listed, WATCH, WatchFrame, check_service_name};
use tokio::time::timeout;

use super::{Common, Failed};

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  mainstay-registry watch ratings\n  mainstay-registry watch ratings --json | head -1"
)]
pub(crate) struct Watch {
    /// The service, which need not be there yet
    #[arg(value_parser = name)]
    service: String,

    #[command(flatten)]
    common: Common,
}

fn name(text: &str) -> Result<String, String> {
    check_service_name(text).map(|()| text.to_owned()).map_err(|error| error.to_string())
}

/// A registry that is there says something every 5 s.
const QUIET: Duration = BOOKMARK_EVERY.saturating_mul(3);

/// How far has been read.
#[derive(Debug, Default)]
struct Seen {
    epoch: Option<u64>,
    revision: u64,
}

/// Why reading ended.
#[derive(Debug, PartialEq, Eq)]
enum Ended {
    Stream,
    /// For longer than a registry is that is there.
    Quiet,
    /// Nobody reads what is printed.
    Printing,
}

impl Watch {
    /// Until the stream ends, or nobody reads what is printed.
    #[expect(clippy::print_stderr, reason = "what is said of the watch is not one of its lines")]
    pub(super) async fn run(self) -> Result<ExitCode, Failed> {
        let registry = self.common.registry()?;
        let (mut seen, mut out) = (Seen::default(), io::stdout());
        loop {
            let opened = timeout(QUIET, registry.follow(seen.target(&self.service))).await;
            let ended = match opened {
                Ok(body) => seen.read(body?, &mut out, self.common.json).await,
                Err(_) => Ended::Quiet,
            };
            match ended {
                Ended::Stream => return Err(registry.lost("the stream ended")),
                Ended::Printing => return Ok(ExitCode::SUCCESS),
                Ended::Quiet => {
                    eprintln!("mainstay-registry: the registry has said nothing for {QUIET:?}; connecting anew");
                }
            }
        }
    }
}

impl Seen {
    /// What to ask for: all, or what came after what has been read.
    fn target(&self, service: &str) -> String {
        let target = WATCH.replace("{service}", service);
        match self.epoch {
            None => target,
            Some(epoch) => format!("{target}?epoch={epoch}&revision={}", self.revision),
        }
    }

    /// Prints what comes.
    async fn read(&mut self, mut body: impl Body<Data = Bytes> + Unpin, out: &mut impl io::Write, json: bool) -> Ended {
        let mut rest = BytesMut::new();
        loop {
            let frame = match timeout(QUIET, body.frame()).await {
                Err(_) => return Ended::Quiet,
                Ok(Some(Ok(frame))) => frame,
                Ok(_) => return Ended::Stream,
            };
            rest.extend_from_slice(frame.data_ref().map_or(&[][..], |data| data));
            while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
                let line = rest.split_to(end + 1);
                let frame = serde_json::from_slice(&line).unwrap_or(WatchFrame::Unknown);
                self.note(&frame);
                let printed = if json { out.write_all(&line) } else { tell(out, &frame) };
                if printed.and_then(|()| out.flush()).is_err() {
                    return Ended::Printing;
                }
            }
        }
    }

    fn note(&mut self, frame: &WatchFrame) {
        match frame {
            WatchFrame::Snapshot(all) => (self.epoch, self.revision) = (Some(all.epoch), all.revision),
            WatchFrame::Resumed { revision, .. }
            | WatchFrame::Changed { revision, .. }
            | WatchFrame::Gone { revision, .. }
            | WatchFrame::Bookmark { revision, .. } => self.revision = *revision,
            WatchFrame::Closing { .. } | WatchFrame::Unknown => {}
        }
    }
}

fn tell(out: &mut impl io::Write, frame: &WatchFrame) -> io::Result<()> {
    match frame {
        WatchFrame::Snapshot(all) => {
            writeln!(out, "{} has {} instances at revision {}", all.service, all.instances.len(), all.revision)?;
            all.instances.iter().try_for_each(|listed| instance(out, all.revision, listed))
        }
        WatchFrame::Changed { revision, listed } => instance(out, *revision, listed),
        WatchFrame::Gone { revision, id, why } => {
            let why = match why {
                GoneReason::Left => "it left",
                GoneReason::ConnectionClosed => "its lease connection closed",
                GoneReason::Silent => "it was silent for too long",
                GoneReason::Released => "an operator released it",
                GoneReason::Unknown => "for a reason not known here",
            };
            writeln!(out, "{revision:>8}  {:<9} {id}: {why}", "gone")
        }
        WatchFrame::Closing { .. } => writeln!(out, "the registry stops"),
        _ => Ok(()),
    }
}

fn instance(out: &mut impl io::Write, revision: u64, listed: &Listed) -> io::Result<()> {
    let of = &listed.instance;
    writeln!(out, "{revision:>8}  {:<9} {} #{} {}", listed.presence.as_str(), of.id, of.number, of.address)
}

#[cfg(test)]
mod tests {
    use futures_util::{StreamExt, stream};
    use http_body_util::StreamBody;
    use hyper::body::Frame;
    use tokio::time::{Instant, sleep};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_registry_that_falls_silent_is_asked_anew_for_what_came_after() {
        let mut seen = Seen::default();
        assert_eq!(seen.target("ratings"), "/v1/services/ratings/watch");
        let lines = [
            (0, r#"{"type":"snapshot","service":"ratings","epoch":7,"revision":3,"instances":[]}"#),
            (14, r#"{"type":"gone","revision":5,"id":"r1","why":"left"}"#),
            (14, r#"{"type":"later"}"#),
        ];
        let frame = |line: &str| Ok::<_, io::Error>(Frame::data(Bytes::from(format!("{line}\n"))));
        let lines = stream::iter(lines).then(move |(after, line)| async move {
            sleep(Duration::from_secs(after)).await;
            frame(line)
        });
        let (begin, mut out) = (Instant::now(), Vec::new());
        let body = Box::pin(StreamBody::new(lines.chain(stream::pending())));
        assert_eq!(seen.read(body, &mut out, false).await, Ended::Quiet);
        assert_eq!(begin.elapsed(), Duration::from_secs(28) + QUIET);
        let out = String::from_utf8(out).unwrap();
        assert_eq!(out, "ratings has 0 instances at revision 3\n       5  gone      r1: it left\n");
        assert_eq!(seen.target("ratings"), "/v1/services/ratings/watch?epoch=7&revision=5");
        let ended = StreamBody::new(stream::iter([frame(r#"{"type":"resumed","epoch":7,"revision":5}"#)]));
        assert_eq!(seen.read(ended, &mut Vec::new(), true).await, Ended::Stream);
    }
}
