//! A replica's lease with etcd: while it lasts, the replica may write.

use std::time::Duration;

use tokio::time::{Instant, sleep, sleep_until};

use super::replicas::Replicas;
use crate::etcd::{Failed, GRANT, LeaseGrant, LeaseGranted, LeaseRevoke, Nothing, REVOKE};

/// When etcd is asked again that did not answer.
const AGAIN: Duration = Duration::from_millis(250);

#[derive(Debug, Clone, Copy)]
pub(super) struct Session {
    pub(super) lease: i64,
    lasts: Duration,
    until: Instant,
}

impl Session {
    pub(super) async fn begin(replicas: &Replicas, lasts: Duration) -> Result<Self, Failed> {
        let asked = Instant::now();
        let seconds = i64::try_from(lasts.as_secs()).unwrap_or(i64::MAX).max(2);
        let LeaseGranted { id } = replicas.client.call(GRANT, LeaseGrant { seconds }).await?;
        let session = Self { lease: id, lasts: Duration::from_secs(seconds.unsigned_abs()), until: asked };
        let session = Self { until: asked + session.lasts, ..session };
        replicas.hold(Some((id, session.until)));
        Ok(session)
    }

    /// Has it last, and says why it does not any more. Of how long, the time counts from when etcd was asked: by its own
    /// clock the lease lasts longer.
    pub(super) async fn keep(mut self, replicas: &Replicas) -> String {
        let mut pause = self.lasts / 3;
        loop {
            sleep(pause).await;
            let asked = Instant::now();
            let answer = tokio::select! {
                biased;
                answer = replicas.client.keep_alive(self.lease) => answer,
                () = sleep_until(self.until) => return "etcd has not answered in time".to_owned(),
            };
            match answer {
                Ok(0) => return "etcd says that it is over".to_owned(),
                Ok(_) => {
                    self.until = asked + self.lasts;
                    pause = self.lasts / 3;
                    replicas.kept(self.lease, self.until);
                }
                Err(failed) if Instant::now() >= self.until => return failed.to_string(),
                Err(_) => pause = AGAIN,
            }
        }
    }
}

/// Ends a lease, and what was put with it. What cannot be ended now is over with its time.
pub(super) async fn end(replicas: &Replicas, lease: i64) {
    let _ = replicas.client.call::<_, Nothing>(REVOKE, LeaseRevoke { id: lease }).await;
}
