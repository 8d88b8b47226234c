//! What is written together: some publishes, some settlements, one transaction.

use std::collections::HashMap;
use std::sync::Arc;

use mainstay::contracts::Envelope;
use mainstay::contracts::hub::Published;
use rusqlite::ErrorCode;

use super::super::channel::Mark;
use super::super::core::Change;
use super::super::shared::Shared;
use super::super::store::Store;
use super::super::topic::Admission;
use super::{Publish, Settle, unwritten};
use crate::Error;

#[derive(Default)]
pub(super) struct Batch {
    publishes: Vec<Publish>,
    settles: Vec<Settle>,
    expired: Vec<Change>,
    bytes: usize,
}

/// What becomes of a message that is to be published.
enum Fate {
    Admitted(Admission),
    /// It was taken before: its place is given back.
    Twice(Admission),
    Refused(Published),
    Failed(Error),
}

/// How far channels have handed out their messages.
type Delivered = HashMap<(i64, Mark), i64>;

impl Batch {
    pub(super) fn publish(&mut self, publish: Publish) {
        self.bytes += publish.messages.iter().map(|message| message.body.get().len() + 64).sum::<usize>();
        self.publishes.push(publish);
    }

    pub(super) fn settle(&mut self, settle: Settle) {
        self.bytes += settle.settlements.len() * 64;
        self.settles.push(settle);
    }

    pub(super) fn expired(&mut self, changes: Vec<Change>) {
        self.bytes += changes.len() * 64;
        self.expired.extend(changes);
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    fn messages(&self) -> impl Iterator<Item = &Arc<Envelope>> {
        self.publishes.iter().flat_map(|publish| &publish.messages)
    }

    /// Writes everything, then answers. If the messages cannot be written, the rest is written without them.
    pub(super) fn write(mut self, shared: &Shared, store: &mut Store) {
        let (answers, said) = settled(&self.settles, shared);
        // Whatever was over is older than what has been said of it since.
        let mut changes = std::mem::take(&mut self.expired);
        changes.extend(said);
        let mut fates = self.admitted(shared, store);
        // With nothing to write, it waits for the next thing that is written.
        let writes = !fates.is_empty() || !changes.is_empty();
        let delivered = if writes { shared.with(|core| core.delivered()) } else { Delivered::new() };

        let mut gone = self.transact(store, &mut fates, &changes, &delivered);
        if let Err(error) = &gone
            && !fates.is_empty()
        {
            self.fail(&mut fates, error, shared);
            gone = self.transact(store, &mut [], &changes, &delivered);
        }
        self.tell(shared, &fates, &changes, gone.as_deref().unwrap_or_default());
        if gone.is_err() {
            shared.with(|core| core.not_delivered(delivered));
        }

        let settled = gone.map(drop).map_err(|error| unwritten(&error));
        let mut fates = fates.into_iter();
        // Whoever has left has published and settled nevertheless.
        for Publish { messages, done } in self.publishes {
            // All of its own, though the first that failed is the answer: the next ones are somebody else's.
            let own: Vec<_> = fates.by_ref().take(messages.len()).collect();
            drop(done.send(own.into_iter().map(Fate::told).collect()));
        }
        for (Settle { done, .. }, answer) in self.settles.into_iter().zip(answers) {
            drop(done.send(settled.clone().and(answer)));
        }
    }

    fn admitted(&self, shared: &Shared, store: &Store) -> Vec<Fate> {
        if self.publishes.is_empty() {
            return Vec::new();
        }
        // If that cannot be said, writing will say why.
        let room = store.has_room().unwrap_or(true);
        let full = || Published::Full("the hub holds as many bytes on disk as it may".to_owned());
        shared.with(|core| {
            let admitted = |message: &Arc<Envelope>| if room { core.admit(message) } else { Err(full()) };
            self.messages().map(admitted).map(|admitted| admitted.map_or_else(Fate::Refused, Fate::Admitted)).collect()
        })
    }

    /// Writes it; for each change, the bytes of the message that is gone by it.
    fn transact(
        &self,
        store: &mut Store,
        fates: &mut [Fate],
        changes: &[Change],
        delivered: &Delivered,
    ) -> rusqlite::Result<Vec<Option<usize>>> {
        if fates.is_empty() && changes.is_empty() {
            return Ok(Vec::new());
        }
        store.commit(|store| {
            for (message, fate) in self.messages().zip(fates) {
                match fate {
                    Fate::Admitted(admission) if !store.put(*admission, message)? => *fate = Fate::Twice(*admission),
                    // It was taken when there was room.
                    Fate::Refused(refused @ Published::Full(_)) if store.has(&message.topic, &message.id)? => {
                        *refused = Published::Twice;
                    }
                    _ => {}
                }
            }
            let gone = changes.iter().map(|change| store.change(change)).collect::<Result<_, _>>()?;
            delivered.iter().try_for_each(|(&(topic, mark), &last)| store.delivered(topic, mark, last))?;
            Ok(gone)
        })
    }

    /// Nothing was written: places are given back.
    fn fail(&self, fates: &mut [Fate], error: &rusqlite::Error, shared: &Shared) {
        let full = error.sqlite_error_code() == Some(ErrorCode::DiskFull);
        let failed = unwritten(error);
        shared.with(|core| {
            for (message, fate) in self.messages().zip(fates) {
                if let Fate::Admitted(admission) | Fate::Twice(admission) = fate {
                    core.release(&message.topic, admission.bytes);
                    *fate = match full {
                        true => Fate::Refused(Published::Full("the disk is full".to_owned())),
                        false => Fate::Failed(failed.clone()),
                    };
                }
            }
        });
    }

    /// Tells the channels what has come, and what has gone.
    fn tell(&self, shared: &Shared, fates: &[Fate], changes: &[Change], gone: &[Option<usize>]) {
        shared.with(|core| {
            for (message, fate) in self.messages().zip(fates) {
                match fate {
                    Fate::Admitted(admission) => core.push(*admission, message),
                    Fate::Twice(admission) => core.release(&message.topic, admission.bytes),
                    Fate::Refused(_) | Fate::Failed(_) => {}
                }
            }
            changes.iter().zip(gone).for_each(|(change, gone)| core.wrote(change, *gone));
        });
    }
}

impl Fate {
    fn told(self) -> Result<Published, Error> {
        match self {
            Self::Admitted(_) => Ok(Published::Taken),
            Self::Twice(_) => Ok(Published::Twice),
            Self::Refused(refused) => Ok(refused),
            Self::Failed(error) => Err(error),
        }
    }
}

/// What each settlement comes to, and what is to be written for them.
fn settled(settles: &[Settle], shared: &Shared) -> (Vec<Result<Vec<bool>, Error>>, Vec<Change>) {
    let mut changes = Vec::new();
    let answers = shared.with(|core| {
        let answer = |settle: &Settle| {
            let one = |settlement| {
                let (counts, change) = core.settle(&settle.place, settlement, settle.now)?;
                changes.extend(change);
                Ok(counts)
            };
            settle.settlements.iter().map(one).collect()
        };
        settles.iter().map(answer).collect()
    });
    (answers, changes)
}
