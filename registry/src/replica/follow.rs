//! What has changed in etcd, folded into the views.

use std::sync::Arc;

use super::keys::{Key, Keys};
use super::read::Incumbent;
use super::rows::{self, At, Life};
use crate::clock::Time;
use crate::etcd::Event;
use crate::pulse::Pulse;
use crate::roster::{Batch, Became, Change, Kept, Row};
use crate::store::Opened;
use crate::views::Views;

/// What a replica knows of that it does not write.
#[derive(Debug)]
pub(super) struct Followed {
    pub(super) at: At,
    pub(super) writer: Option<Incumbent>,
    /// Its beats are heard elsewhere.
    pulse: Arc<Pulse>,
}

/// etcd has another life of the registry, or an earlier state of it, and none of the revisions here mean anything.
#[derive(Debug)]
pub(super) struct AnotherLife;

impl Followed {
    pub(super) fn new() -> Self {
        let pulse = Pulse::new(0, Time::default());
        pulse.grant();
        Self { at: At::default(), writer: None, pulse: Arc::new(pulse) }
    }

    /// Shows all that was read and is not shown yet.
    pub(super) fn catch_up(&mut self, opened: &Opened, at: At, views: &Views, now: Time) -> Result<(), AnotherLife> {
        let shown = views.revision();
        if opened.epoch != views.epoch() || at.revision < shown {
            return Err(AnotherLife);
        }
        // Of those who were forgotten in between nothing is left, so that what is shown cannot be mended.
        let is_whole = at.floor <= shown || shown == 0;
        let is_new = |revision: u64| revision > shown || !is_whole;
        let listed =
            opened.listed.iter().filter(|kept| is_new(kept.revision)).map(|kept| self.listed(kept.clone(), now));
        let gone = opened.gone.iter().filter(|(grave, _)| is_new(grave.revision)).map(|(grave, why)| Change {
            revision: grave.revision,
            service: Arc::clone(&grave.service),
            id: grave.id.clone(),
            became: Became::Gone(*why),
        });
        let mut changes: Vec<Change> = listed.chain(gone).collect();
        changes.sort_by_key(|change| change.revision);
        let batch = Batch { changes, ..Batch::default() };
        if is_whole {
            views.fold(&batch, at.revision);
        } else {
            views.replace(&batch, at.revision, at.floor);
        }
        views.forget_until(at.floor);
        self.at = at;
        Ok(())
    }

    /// Shows what etcd tells.
    pub(super) fn take(
        &mut self,
        events: Vec<Event>,
        (keys, life): (&Keys, &Life),
        views: &Views,
        now: Time,
    ) -> Result<(), AnotherLife> {
        let mut batch = Batch::default();
        for event in events {
            let is_put = event.is_put();
            let Some(pair) = event.pair else { continue };
            match (keys.read(&pair.key), is_put) {
                (Some(Key::Life), true) if rows::read(&pair.value).is_some_and(|new: Life| new.epoch == life.epoch) => {
                }
                (Some(Key::Life), _) => return Err(AnotherLife),
                (Some(Key::At), true) => match rows::read(&pair.value) {
                    Some(at @ At { revision, .. }) if revision >= self.at.revision => self.at = at,
                    _ => return Err(AnotherLife),
                },
                (Some(Key::Writer), true) => self.writer = Incumbent::read(&pair),
                (Some(Key::Writer), false) => self.writer = None,
                (Some(Key::Instance(service, id)), true) => {
                    let kept = rows::read_instance(&service, &id, &pair.value);
                    batch.changes.extend(kept.map(|kept| self.listed(kept, now)));
                }
                (Some(Key::Gone(grave)), true) => {
                    let (revision, service, id) = (grave.revision, grave.service, grave.id);
                    let gone = rows::read_gone(&pair.value).map(Became::Gone);
                    batch.changes.extend(gone.map(|became| Change { revision, service, id, became }));
                }
                (Some(Key::Gone(grave)), false) => batch.forgotten.push(grave),
                _ => {}
            }
        }
        // Within a transaction etcd tells them in the order of their keys.
        batch.changes.sort_by_key(|change| change.revision);
        views.fold(&batch, self.at.revision);
        Ok(())
    }

    fn listed(&self, kept: Kept, now: Time) -> Change {
        let Kept { revision, service, listed, json, lease, health } = kept;
        let id = listed.instance.id.clone();
        let row = Row { listed, json, since: now, lease, pulse: Arc::clone(&self.pulse), health };
        Change { revision, service, id, became: Became::Listed(row) }
    }
}
