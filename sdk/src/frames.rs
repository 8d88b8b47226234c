//! A stream of the registry's frames, with a bound on its silence.

use std::error::Error;
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use mainstay_contracts::registry::BOOKMARK_EVERY;
use mainstay_contracts::wire;
use mainstay_contracts::{Call, Refusal};
use serde::de::DeserializeOwned;
use tokio::runtime::Handle;
use tokio::time::{Instant, timeout};

use crate::patience::wait_until;
use crate::transport::{Connections, Lines, Outgoing};

/// Three bookmarks missed: the registry is not there, whatever its connection says.
const QUIET_LIMIT: Duration = BOOKMARK_EVERY.saturating_mul(3);

/// However long a registry that stops asks to be left alone.
pub(crate) const LONGEST_CLOSING: Duration = Duration::from_secs(30);

/// Whatever can go wrong with a registry is told in words and tried again.
pub(crate) type AnyError = Box<dyn Error + Send + Sync>;

/// The registry said no.
#[derive(Debug)]
pub(crate) struct Refused {
    status: StatusCode,
    reason: String,
}

impl Refused {
    pub(crate) fn is(&self, status: StatusCode) -> bool {
        self.status == status
    }

    /// Is it who asks that it does not like?
    fn is_denied(&self) -> bool {
        matches!(self.status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN)
    }
}

impl Refused {
    fn of(status: StatusCode, answer: Option<&[u8]>) -> Self {
        let reason = match answer.map(serde_json::from_slice::<Refusal>) {
            Some(Ok(refusal)) => refusal.reason,
            _ => format!("it answers with status {}", status.as_u16()),
        };
        Self { status, reason }
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}

impl Error for Refused {}

/// What was said of a registry since all was well: one line for whatever is wrong, and one for a denial, which does not
/// pass by itself.
#[derive(Debug, Default)]
pub(crate) struct Complaints {
    wrong: bool,
    denied: bool,
}

impl Complaints {
    /// Is this still to be said?
    pub(crate) fn is_new(&mut self, error: &AnyError) -> bool {
        let said = if is_denied(error) { &mut self.denied } else { &mut self.wrong };
        !std::mem::replace(said, true)
    }
}

pub(crate) fn is_denied(error: &AnyError) -> bool {
    error.downcast_ref::<Refused>().is_some_and(Refused::is_denied)
}

pub(crate) struct Frames<T> {
    lines: Lines,
    quiet_at: Instant,
    frame: PhantomData<fn() -> T>,
}

impl<T: DeserializeOwned> Frames<T> {
    pub(crate) async fn open(registry: &Connections, request: &Outgoing) -> Result<Self, AnyError> {
        let Ok(opened) = timeout(QUIET_LIMIT, registry.stream(request)).await else {
            return Err("it is silent".into());
        };
        let (status, mut lines) = opened?;
        if status.is_success() {
            return Ok(Self { lines, quiet_at: Instant::now() + QUIET_LIMIT, frame: PhantomData });
        }
        let answer = timeout(QUIET_LIMIT, lines.only()).await.ok().and_then(Result::ok);
        Err(Refused::of(status, answer.as_deref()).into())
    }

    /// The next frame, or `None` when the stream has ended. An error when it is silent for too long.
    ///
    /// Cancel safe: silence is measured from the frame before.
    pub(crate) async fn next(&mut self) -> Result<Option<T>, AnyError> {
        let line = wait_until(self.quiet_at, self.lines.next()).await.map_err(|_| "it is silent")??;
        let Some(line) = line else { return Ok(None) };
        self.quiet_at = Instant::now() + QUIET_LIMIT;
        Ok(Some(serde_json::from_slice(&line)?))
    }
}

/// Asks a registry for something that ends.
pub(crate) async fn ask<C: Call>(
    registry: Arc<Connections>,
    call: C,
    limit: Duration,
) -> Result<C::Response, AnyError> {
    let request = Outgoing::new(C::METHOD, wire::encode(&call)?, true)?;
    let slot = registry.slot().await;
    let reply = slot.exchange(&request, Instant::now() + limit, Handle::current().id()).await?;
    if reply.status.is_success() {
        Ok(serde_json::from_slice(&reply.body)?)
    } else {
        Err(Refused::of(reply.status, Some(&reply.body)).into())
    }
}
