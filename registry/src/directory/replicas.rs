//! What one of several replicas does for the others, and for clients that have been at another.

use std::time::Duration;

use mainstay_contracts::registry::Watch;
use tokio::time::timeout;

use super::Directory;
use crate::roster::{Kind, Refused};

/// How long a client waits that has seen more than this replica.
const CATCH_UP: Duration = Duration::from_secs(2);

impl Directory {
    /// The client of a lease connection that was passed on has gone.
    pub(crate) fn client_gone(&self, hold: u64) {
        let held = self.passed_on.lock().get(&hold).cloned();
        if let Some(held) = held {
            // What cannot be told now is found out when the lease stops beating.
            let _ = self.ask(move |state, _| {
                state.let_go(&held, hold, true);
                Box::new(|| {})
            });
        }
    }

    /// Waits until those who watch at other replicas have been told.
    pub(super) async fn told_elsewhere(&self, service: &str, revision: u64, within: Duration) -> (usize, usize) {
        match &self.replicas {
            Some(replicas) => replicas.told(service, revision, within).await,
            None => (0, 0),
        }
    }

    /// Waits until this replica knows what a client has seen at another one, and says whether it does. Refuses who asks for
    /// news where none are to be had.
    pub(crate) async fn reach(&self, revision: u64) -> Result<bool, Refused> {
        let Some(replicas) = &self.replicas else { return Ok(true) };
        if let Some(silence) = replicas.cut_off() {
            let reason = format!("nothing has been heard of etcd for {silence:.0?}: ask another replica");
            return Err(Refused::new(Kind::Full, reason));
        }
        Ok(timeout(CATCH_UP, self.views.until(revision)).await.is_ok())
    }

    /// As [`reach`](Self::reach), for who is not to be told what was before.
    pub(crate) async fn reach_watched(&self, call: &Watch) -> Result<(), Refused> {
        let seen = call.revision.filter(|_| call.epoch == Some(self.views.epoch())).unwrap_or_default();
        if self.reach(seen).await? {
            return Ok(());
        }
        let reason = format!("revision {seen} is not known here, but {}: ask another replica", self.views.revision());
        Err(Refused::new(Kind::Full, reason))
    }

    /// Was this process stopped so lately that it does not know it yet?
    pub(crate) fn is_stalled(&self) -> bool {
        self.clock.is_late()
    }
}
