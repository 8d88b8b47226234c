//! What an instance says, and what an operator does.

use std::time::Duration;

use futures_util::future::join;
use mainstay_contracts::registry::{
    Beat, BeatLease, Beaten, Deregister, Deregistered, Drain, Drained, EndLease, LeaseEnded, Register, Registered,
    Release, Released, Undrain, Undrained,
};
use tokio::time::{Instant, timeout};

use super::Directory;
use crate::pulse::Pulse;
use crate::roster::{Kind, Refused, fence};

/// The longest that a drain waits for watchers.
const LONGEST_DRAIN: u64 = 60_000;

impl Directory {
    pub(crate) async fn register(&self, call: Register) -> Result<Registered, Refused> {
        self.change(|state, now| state.roster.register(call, now)).await
    }

    pub(crate) async fn deregister(&self, call: Deregister) -> Result<Deregistered, Refused> {
        self.change(move |state, _| state.roster.deregister(&call)).await
    }

    pub(crate) async fn end_lease(&self, call: EndLease) -> Result<LeaseEnded, Refused> {
        self.change(move |state, _| state.roster.end_lease(&call.lease)).await
    }

    pub(crate) async fn undrain(&self, call: Undrain) -> Result<Undrained, Refused> {
        self.change(move |state, now| state.roster.undrain(&call, now)).await
    }

    pub(crate) async fn release(&self, call: Release) -> Result<Released, Refused> {
        self.change(move |state, _| state.roster.release(&call)).await
    }

    /// Marks an instance, and waits until those who watch have been told.
    pub(crate) async fn drain(&self, call: Drain) -> Result<Drained, Refused> {
        if call.deadline_ms > LONGEST_DRAIN {
            let reason = format!("deadline_ms is {}, but must be at most {LONGEST_DRAIN}", call.deadline_ms);
            return Err(Refused::new(Kind::Invalid, reason));
        }
        let deadline = Duration::from_millis(call.deadline_ms);
        let service = call.service.clone();
        let revision = self.change(move |state, now| state.roster.drain(&call, now)).await?;
        #[cfg(feature = "etcd")]
        let elsewhere = self.told_elsewhere(&service, revision, deadline);
        #[cfg(not(feature = "etcd"))]
        let elsewhere = std::future::ready((0, 0));
        let ((told, untold), (more, less)) = join(self.until_told(&service, revision, deadline), elsewhere).await;
        Ok(Drained { revision, told: told + more, untold: untold + less })
    }

    /// Waits until those who watch a service have been told up to a revision; says how many have been, and how many not.
    pub(crate) async fn until_told(&self, service: &str, revision: u64, within: Duration) -> (usize, usize) {
        let begun = Instant::now();
        // Who comes later begins with a list that says it; where others write, that may come late.
        #[cfg(feature = "etcd")]
        let _ = timeout(within, self.views.until(revision)).await;
        let Some(audience) = self.views.get(service).map(|view| view.audience()) else { return (0, 0) };
        // Whether it is over in time or not, it is said how far it has come.
        let _ = timeout(within.saturating_sub(begun.elapsed()), audience.until_told(revision)).await;
        let untold = audience.untold(revision);
        (audience.len() - untold, untold)
    }

    /// Notes that an instance is there.
    pub(crate) fn beat(&self, call: &Beat) -> Result<Beaten, Refused> {
        let unknown = |what: String| Refused::new(Kind::Unknown, format!("{what} is not registered: register again"));
        let row = self.views.get(&call.service).and_then(|view| view.row(&call.id));
        let Some(row) = row else {
            return Err(unknown(format!("{} of {}", call.id, call.service)));
        };
        let listed = row.listed.instance.incarnation;
        fence(&call.id, listed, call.incarnation)?;
        if call.incarnation.is_some_and(|said| said > listed) {
            return Err(unknown(format!("incarnation {} of {}", call.incarnation.unwrap_or_default(), call.id)));
        }
        Ok(self.hear(&row.pulse))
    }

    /// Notes that a process is there, with all that it has registered.
    pub(crate) fn beat_lease(&self, call: &BeatLease) -> Result<Beaten, Refused> {
        let Some(pulse) = self.views.lease(&call.lease) else {
            let reason = format!("there is no lease {}: hold it, and register again", call.lease);
            return Err(Refused::new(Kind::Unknown, reason));
        };
        Ok(self.hear(&pulse))
    }

    fn hear(&self, pulse: &Pulse) -> Beaten {
        self.metrics.beat();
        if pulse.beat(self.clock.now()) {
            let lease = pulse.lease;
            // What cannot be told now is found out when the lease is looked at.
            let _ = self.ask(move |state, now| {
                state.roster.wake(lease, now);
                Box::new(|| {})
            });
        }
        Beaten { beat_every_ms: self.beat_every_ms() }
    }
}
