//! Time passes: sessions end that were not renewed, and lock delays are over.

use std::sync::Arc;
use std::time::Duration;

use super::batch::Change;
use super::{At, Kv};
use crate::clock::Time;

/// What has its time.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Due {
    Session(Arc<str>),
    Delay(Arc<str>),
}

impl Kv {
    /// Ends what is over by now.
    pub(crate) fn expire(&mut self, at: &mut At<'_>) {
        let (sessions, delays) = (&self.sessions, &self.delays);
        let mut due = self.wheel.turn(at.now, |due, what| match what {
            Due::Session(id) => sessions.get(id).is_some_and(|open| open.due == Some(due)),
            Due::Delay(key) => delays.get(key) == Some(&due),
        });
        due.sort();
        for (_, what) in due {
            match what {
                Due::Session(id) => self.look(&id, at),
                Due::Delay(key) => {
                    self.delays.remove(&key);
                    self.batch.changes.push(Change::Delayed(key, None));
                }
            }
        }
    }

    /// Decides about a session whose turn has come. A renewal has not moved it: whether there was one is seen now.
    fn look(&mut self, id: &Arc<str>, at: &mut At<'_>) {
        let Some(open) = self.sessions.get_mut(id) else { return };
        if open.session.is_over(at.now) {
            return self.end(id, at);
        }
        open.due = open.session.over_at();
        if let Some(due) = open.due {
            self.wheel.insert(due, Due::Session(Arc::clone(id)));
        }
    }

    /// Lets nobody lock a key for a while.
    pub(super) fn delay(&mut self, key: Arc<str>, delay: Duration, now: Time) {
        if delay.is_zero() {
            return;
        }
        // Never shorter than it was.
        let until = self.delays.get(&key).copied().unwrap_or_default().max(now + delay);
        self.delays.insert(Arc::clone(&key), until);
        self.wheel.insert(until, Due::Delay(Arc::clone(&key)));
        self.batch.changes.push(Change::Delayed(key, Some(until.since(now))));
    }
}
