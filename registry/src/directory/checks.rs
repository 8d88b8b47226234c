//! What Consul's clients say and ask: instances by an id alone, and checks in place of beats.

use std::sync::Arc;
use std::time::Duration;

use mainstay_contracts::registry::InstanceId;
use tokio::time::timeout;

use super::Directory;
use crate::Rights;
use crate::roster::{Check, Enlist, Heard, Kind, Member, Refused, Status};
use crate::writer::State;

/// An instance by its id, and its service where that is said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Named {
    pub(crate) service: Option<String>,
    pub(crate) id: InstanceId,
}

impl Named {
    fn find(&self, state: &State) -> Result<Member, Refused> {
        match &self.service {
            Some(service) => state.roster.find_in(service, &self.id),
            None => state.roster.find_anywhere(&self.id),
        }
    }
}

/// Who may not register for a service may not change what is registered for it either.
fn may(rights: &Rights, service: &str) -> Result<(), Refused> {
    if rights.may_register(service) {
        return Ok(());
    }
    Err(Refused::new(Kind::Forbidden, format!("you may not register {service}")))
}

impl Directory {
    /// Notes what a check's process says. The same as before is a beat: neither kept nor told.
    pub(crate) async fn hear_check(
        &self,
        rights: Rights,
        id: String,
        said: Status,
        output: String,
    ) -> Result<(), Refused> {
        if let Some(Heard { member: (service, instance), pulse }) = self.views.check(&id)
            && rights.may_register(&service)
            && let Some(row) = self.views.get(&service).and_then(|view| view.row(&instance))
            && let Some(known) = row.health.as_ref().and_then(|health| health.check(&id))
            && (known.said, known.expired, &known.output) == (said, false, &output)
            && !pulse.beat(self.clock.now())
        {
            // Its own lease never ends, but when it was heard of last is shown.
            let _ = row.pulse.beat(self.clock.now());
            return Ok(());
        }
        self.change(move |state, now| {
            may(&rights, &state.roster.find_check(&id)?.1.0)?;
            state.roster.hear_check(&id, said, output, now)
        })
        .await
    }

    /// Changes what is registered with checks.
    pub(crate) async fn enlist(&self, rights: Rights, enlist: Enlist) -> Result<(), Refused> {
        self.change(move |state, now| {
            may(&rights, &enlist.call.service)?;
            // Of another service it would be taken away.
            if let Ok((other, _)) = state.roster.enlisted(&enlist.call.id) {
                may(&rights, &other)?;
            }
            state.roster.enlist(enlist, now)
        })
        .await
    }

    /// Adds a check to an instance that is registered with such.
    pub(crate) async fn add_check(&self, rights: Rights, id: InstanceId, check: Check) -> Result<(), Refused> {
        self.change(move |state, now| {
            may(&rights, &state.roster.enlisted(&id)?.0)?;
            state.roster.add_check(&id, check, now)
        })
        .await
    }

    /// Takes a check away.
    pub(crate) async fn drop_check(&self, rights: Rights, id: String) -> Result<(), Refused> {
        self.change(move |state, now| {
            may(&rights, &state.roster.find_check(&id)?.1.0)?;
            state.roster.drop_check(&id, now)
        })
        .await
    }

    /// Takes an instance off the list.
    pub(crate) async fn delist(&self, rights: Rights, named: Named) -> Result<(), Refused> {
        self.change(move |state, _| {
            let member = named.find(state)?;
            may(&rights, &member.0)?;
            state.roster.delist(&member);
            Ok(())
        })
        .await
    }

    /// Lets an instance ask for no calls, for a reason, or for calls again.
    pub(crate) async fn maintain(&self, rights: Rights, named: Named, why: Option<String>) -> Result<(), Refused> {
        self.change(move |state, now| {
            let member = named.find(state)?;
            may(&rights, &member.0)?;
            state.roster.maintain(&member, why, now);
            Ok(())
        })
        .await
    }

    /// Waits until a service, or anything if none is named, has changed after a revision: for so long, and no longer than
    /// the registry runs. Whoever waits has the place of a watcher.
    pub(crate) async fn follow(
        self: &Arc<Self>,
        service: Option<&str>,
        revision: u64,
        wait: Duration,
    ) -> Result<(), Refused> {
        let mut any = self.views.changes();
        let now = service.map_or_else(|| *any.borrow(), |service| self.views.revision_of(service));
        if now > revision {
            return Ok(());
        }
        // Both before the wait: what has been seen elsewhere is known here soon, or not at all.
        #[cfg(feature = "etcd")]
        let _ = self.reach(revision).await?;
        let (permit, watching) = (self.place()?, self.watching());
        let changed = async {
            match service {
                Some(service) => {
                    let mut watcher = self.views.watch(service, Some(revision), permit);
                    // A revision of the future too: it asks for nothing up to that, so that nobody waits until it is told.
                    watcher.has_seen(revision);
                    watcher.beyond(revision).await;
                }
                None => {
                    // The views hold the sender.
                    let _ = any.wait_for(|now| *now > revision).await;
                    drop(permit);
                }
            }
        };
        tokio::select! {
            () = watching.cancelled() => {}
            // What there is at the end of the wait is the answer too.
            _ = timeout(wait, changed) => {}
        }
        Ok(())
    }
}
