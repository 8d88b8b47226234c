//! `mainstay-registry watch`.

use std::io::{self, Write as _};
use std::process::ExitCode;

use bytes::BytesMut;
use http_body_util::BodyExt;
use mainstay_contracts::registry::{GoneReason, Listed, WATCH, WatchFrame, check_service_name};

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

impl Watch {
    /// Until the stream ends, or nobody reads what is printed.
    pub(super) async fn run(self) -> Result<ExitCode, Failed> {
        let registry = self.common.registry()?;
        let mut body = registry.follow(WATCH.replace("{service}", &self.service)).await?;
        let (mut rest, mut out) = (BytesMut::new(), io::stdout());
        while let Some(Ok(frame)) = body.frame().await {
            rest.extend_from_slice(frame.data_ref().map_or(&[][..], |data| data));
            while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
                let line = rest.split_to(end + 1);
                let printed = if self.common.json { out.write_all(&line) } else { tell(&mut out, &line) };
                if printed.and_then(|()| out.flush()).is_err() {
                    return Ok(ExitCode::SUCCESS);
                }
            }
        }
        Err(registry.lost("the stream ended"))
    }
}

fn tell(out: &mut impl io::Write, line: &[u8]) -> io::Result<()> {
    match serde_json::from_slice(line) {
        Ok(WatchFrame::Snapshot(all)) => {
            writeln!(out, "{} has {} instances at revision {}", all.service, all.instances.len(), all.revision)?;
            all.instances.iter().try_for_each(|listed| instance(out, all.revision, listed))
        }
        Ok(WatchFrame::Changed { revision, listed }) => instance(out, revision, &listed),
        Ok(WatchFrame::Gone { revision, id, why }) => {
            let why = match why {
                GoneReason::Left => "it left",
                GoneReason::ConnectionClosed => "its lease connection closed",
                GoneReason::Silent => "it was silent for too long",
                GoneReason::Released => "an operator released it",
                GoneReason::Unknown => "for a reason not known here",
            };
            writeln!(out, "{revision:>8}  {:<9} {id}: {why}", "gone")
        }
        Ok(WatchFrame::Closing { .. }) => writeln!(out, "the registry stops"),
        _ => Ok(()),
    }
}

fn instance(out: &mut impl io::Write, revision: u64, listed: &Listed) -> io::Result<()> {
    let of = &listed.instance;
    writeln!(out, "{revision:>8}  {:<9} {} #{} {}", listed.presence.as_str(), of.id, of.number, of.address)
}
