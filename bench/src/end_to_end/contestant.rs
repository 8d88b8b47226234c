//! Who is measured. All do the same job: from a thing's id, which nobody knows beforehand, to its [`Rating`].
//!
//! The request is the same for all: path `/ratings/<thing>`, and the headers `host`, `accept` and `user-agent` with the
//! same values. Its path is written and parsed for every call, as the users of each client do it; what stays the same
//! from call to call is put together beforehand where a client's users can do so, and it is cheaper. The whole answer is
//! read, and decoded.
//!
//! | Contestant | Balance | Time limit | Breaker | More |
//! |---|---|---|---|---|
//! | raw, also through a proxy | a connection for each task; the proxy | the proxy's 1 s | | |
//! | mainstay | its own | 1 s, of attempt and call | its own | last good; ids are percent-encoded |
//! | legacy | round robin by hand | | | |
//! | tower | tower's | 1 s | tower-resilience's in the last one, by the same rules | |
//! | reqwest | round robin by hand | 1 s | | retries in the last one |

mod balanced;
mod legacy;
mod ours;
mod raw;
mod reqwest;
#[cfg(test)]
mod tests;

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use clap::ValueEnum;
use http::header::{ACCEPT, USER_AGENT};
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use mainstay::contracts::ratings::Rating;
use serde::Serialize;

use super::proxy::Program;
use super::work::{Team, Work};
use crate::Failed;

pub(crate) const DEADLINE: Duration = Duration::from_secs(1);

/// A way to make the call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Contestant {
    /// hyper's `SendRequest`, one connection per task, no timeout: the limit
    Raw,
    /// Mainstay, with everything its contract says: deadline, breaker, last good
    Mainstay,
    /// hyper-util's legacy client, hand-made round robin, no timeout
    Legacy,
    /// legacy client, tower's P2C by pending requests, behind Buffer and Timeout
    TowerPending,
    /// legacy client, tower's P2C by peak EWMA, behind Buffer and Timeout
    TowerEwma,
    /// tower-pending, and tower-resilience's breaker around each instance
    TowerBreaker,
    /// reqwest with a timeout, hand-made round robin
    Reqwest,
    /// the same, in reqwest-middleware with reqwest-retry's three retries
    ReqwestRetry,
    /// one connection per task as in raw, to HAProxy with three servers
    Haproxy,
    /// one connection per task as in raw, to nginx with three servers
    Nginx,
}

impl Contestant {
    /// As said on the command line.
    pub(crate) fn name(self) -> String {
        self.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned())
    }

    /// For tables.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Raw => "raw hyper SendRequest",
            Self::Mainstay => "mainstay",
            Self::Legacy => "hyper-util legacy, round robin",
            Self::TowerPending => "legacy + tower P2C pending",
            Self::TowerEwma => "legacy + tower P2C peak EWMA",
            Self::TowerBreaker => "legacy + tower P2C + breaker",
            Self::Reqwest => "reqwest, round robin",
            Self::ReqwestRetry => "reqwest + retry middleware",
            Self::Haproxy => "raw through HAProxy",
            Self::Nginx => "raw through nginx",
        }
    }

    /// What must run between client and instances.
    pub(crate) fn proxy(self) -> Option<Program> {
        match self {
            Self::Haproxy => Some(Program::Haproxy),
            Self::Nginx => Some(Program::Nginx),
            _ => None,
        }
    }

    /// So many tasks of it, that call these addresses: the instances', or the proxy's.
    pub(crate) async fn team(self, addresses: &[SocketAddr], tasks: usize) -> Result<Box<dyn Work>, Failed> {
        Ok(match self {
            Self::Raw | Self::Haproxy | Self::Nginx => Team::of(raw::callers(addresses, tasks).await?),
            Self::Mainstay => Team::of(ours::callers(addresses, tasks)?),
            Self::Legacy => Team::of(legacy::callers(addresses, tasks)),
            Self::TowerPending => Team::of(balanced::by_pending(addresses, tasks)?),
            Self::TowerEwma => Team::of(balanced::by_peak_ewma(addresses, tasks)?),
            Self::TowerBreaker => Team::of(balanced::with_breakers(addresses, tasks)?),
            Self::Reqwest => Team::of(reqwest::callers(addresses, tasks)?),
            Self::ReqwestRetry => Team::of(reqwest::retrying_callers(addresses, tasks)?),
        })
    }
}

/// What every request says besides its host, with Mainstay's own values.
fn say(headers: &mut HeaderMap) {
    headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
    headers.insert(USER_AGENT, HeaderValue::from_static("mainstay"));
}

/// What every client over hyper does with an answer.
async fn read(response: Response<Incoming>) -> Result<Rating, Failed> {
    let (head, body) = response.into_parts();
    let body = body.collect().await?.to_bytes();
    decode(head.status, &body)
}

fn decode(status: StatusCode, body: &Bytes) -> Result<Rating, Failed> {
    if status != StatusCode::OK {
        return Err(format!("answered with {status}").into());
    }
    Ok(serde_json::from_slice(body)?)
}
