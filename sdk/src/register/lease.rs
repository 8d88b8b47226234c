//! What an application holds of its lease.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures_util::future::join_all;
use mainstay_contracts::registry::{Drain, LeaseId, Register};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tracing::warn;

use super::Registration;
use super::entries::Entries;
use crate::frames::ask;

/// How long a clean stop waits for the registry.
const RELEASE_LIMIT: Duration = Duration::from_secs(1);
/// The longest that a registry waits for watchers.
const LONGEST_DRAIN: Duration = Duration::from_secs(60);

/// The presence in the registry of what a process has registered: all of it is there for as long as this is.
///
/// Dropped, it is gone at once, as if the process had crashed.
pub struct Lease {
    pub(super) id: LeaseId,
    pub(super) entries: Arc<Entries>,
    pub(super) stop: CancellationToken,
    pub(super) task: JoinHandle<()>,
}

impl Lease {
    /// Registers another instance with this lease, and keeps it registered as the others are: of this service or of
    /// another one, in the registry where the lease is. One with the same name takes its place.
    ///
    /// What the registration says of registries and of how to reach them is the first one's to say.
    pub fn register(&self, registration: Registration) {
        self.entries.put(with(registration.register, &self.id));
    }

    /// Are all its instances registered now?
    pub fn is_registered(&self) -> bool {
        self.entries.are_registered()
    }

    /// Waits, without a bound, until all its instances are registered.
    ///
    /// Cancel safe.
    pub async fn registered(&self) {
        self.entries.until_registered().await;
    }

    /// Asks for no more calls to its instances, which stay listed; returns when the registry has told everybody who
    /// watches them, or at the limit, up to a minute. A registry that is away tells nobody, and is not waited for.
    ///
    /// Calls that were begun before may still come: whoever drains serves on for a moment, and then
    /// [releases](Self::release) the lease. `serve::run_leased` does all of it. There is no way back, but to
    /// [register](Self::register) anew.
    pub async fn drain(&self, limit: Duration) {
        let Some((registry, registered)) = self.entries.drain() else { return };
        let limit = limit.min(LONGEST_DRAIN);
        // Before the limit, so that the answer is here by then.
        let deadline_ms = (limit * 9 / 10).as_millis() as u64;
        let drain = async |Register { service, id, incarnation, address, .. }: Register| {
            let drain = Drain { service: service.clone(), id, incarnation, deadline_ms };
            if let Err(error) = ask(Arc::clone(&registry), drain, limit).await {
                warn!(target: "mainstay::lease", "{service} at {address} leaves, and nobody was told before: {error}");
            }
        };
        join_all(registered.into_iter().map(drain)).await;
    }

    /// Takes its instances off the registry's list; takes a second at most if the registry does not answer.
    pub async fn release(mut self) {
        self.stop.cancel();
        let _ = timeout(RELEASE_LIMIT, &mut self.task).await;
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl fmt::Debug for Lease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lease").field("registered", &self.is_registered()).finish_non_exhaustive()
    }
}

/// What is registered with a lease, from now on.
pub(super) fn with(register: Register, lease: &LeaseId) -> Register {
    Register { incarnation: Some(incarnation()), lease: Some(lease.clone()), ..register }
}

/// Microseconds since 1970: later starts have greater ones, on one machine at least.
fn incarnation() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_micros()).unwrap_or(u64::MAX)
}
