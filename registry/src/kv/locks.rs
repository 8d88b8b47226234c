//! Sessions come and end, and lock keys meanwhile.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::batch::Change;
use super::entry::Entry;
use super::expiry::Due;
use super::session::{Behavior, Session, Terms};
use super::{At, Kv};
use crate::clock::Time;
use crate::roster::{Kind, Refused};

/// Who has locked a key, and a number that is greater with each who does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Lock {
    pub(super) session: Option<Arc<str>>,
    pub(super) index: u64,
}

impl Lock {
    pub(super) fn of(entry: &Entry) -> Self {
        Self { session: entry.session.clone(), index: entry.lock_index }
    }

    /// As it is when a session has given it back; nothing, if the session does not have it.
    pub(super) fn released(self, session: &Arc<str>) -> Option<Self> {
        (self.session.as_ref() == Some(session)).then_some(Self { session: None, ..self })
    }
}

/// A session that has not ended.
#[derive(Debug)]
pub(super) struct Open {
    pub(super) session: Arc<Session>,
    /// What it has locked.
    pub(super) keys: BTreeSet<Arc<str>>,
    /// Its one valid place in the wheel.
    pub(super) due: Option<Time>,
}

impl Kv {
    /// A key's lock as it is when a session has it; nothing, if it cannot have it now.
    pub(super) fn acquired(
        &self,
        key: &str,
        lock: Lock,
        session: &Arc<str>,
        now: Time,
    ) -> Result<Option<Lock>, Refused> {
        let Some((session, _)) = self.sessions.get_key_value(session) else { return Err(no_session(session)) };
        let is_delayed = || self.delays.get(key).is_some_and(|until| *until > now);
        Ok(match &lock.session {
            Some(holder) => (holder == session).then_some(lock),
            None if is_delayed() => None,
            None => Some(Lock { session: Some(Arc::clone(session)), index: lock.index + 1 }),
        })
    }

    /// Makes a session; its id must be one that nobody can guess.
    pub(crate) fn open(&mut self, id: Arc<str>, terms: Terms, at: &mut At<'_>) -> Result<Arc<Session>, Refused> {
        let most = self.limits.sessions;
        if self.sessions.len() >= most {
            return Err(Refused::new(Kind::Full, format!("there are {most} sessions, and may not be more")));
        }
        let shortest = self.limits.shortest_ttl;
        if let Some(ttl) = terms.ttl.filter(|ttl| *ttl < shortest) {
            let reason = format!("TTL is {ttl:?}, but must be at least {shortest:?}");
            return Err(Refused::new(Kind::Invalid, reason));
        }
        let session = Arc::new(Session::new(id, terms, at.next(), at.now));
        self.admit(Arc::clone(&session));
        self.batch.changes.push(Change::Opened(Arc::clone(&session)));
        Ok(session)
    }

    pub(super) fn admit(&mut self, session: Arc<Session>) {
        let (id, due) = (Arc::clone(&session.id), session.over_at());
        self.sessions.insert(Arc::clone(&id), Open { session, keys: BTreeSet::new(), due });
        if let Some(due) = due {
            self.wheel.insert(due, Due::Session(id));
        }
    }

    /// Has a session begin its time anew, where [`Session::renew`] could not tell whether it counts.
    pub(crate) fn renew(&self, id: &str, now: Time) -> Result<(), Refused> {
        let Some(open) = self.sessions.get(id) else { return Err(no_session(id)) };
        // Nobody else decides at this moment.
        let _ = open.session.renew(now);
        Ok(())
    }

    /// Ends a session, if it is there, and has its keys back.
    pub(crate) fn end(&mut self, id: &str, at: &mut At<'_>) {
        let Some((id, Open { session, keys, .. })) = self.sessions.remove_entry(id) else { return };
        session.end();
        for key in keys {
            match (session.terms.behavior, self.keys.get(&key)) {
                (Behavior::Release, Some(entry)) => {
                    let entry = Entry { session: None, modified: at.next(), ..Entry::clone(entry) };
                    self.set(Arc::clone(&key), entry);
                }
                (Behavior::Delete, _) | (_, None) => self.remove(&key, at),
            }
            self.delay(key, session.terms.lock_delay, at.now);
        }
        self.batch.changes.push(Change::Ended(id, at.next()));
    }
}

fn no_session(id: &str) -> Refused {
    let id: String = id.chars().take(64).collect();
    Refused::new(Kind::Unknown, format!("invalid session {id:?}: it has ended, or never was"))
}
