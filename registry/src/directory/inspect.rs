//! How the registry is, for whoever looks after it.

use std::time::Duration;

use mainstay_contracts::registry::{Doubt, Inspected, Inspection, Overview, Presence, ServiceOverview};

use super::Directory;
use crate::clock::Time;
use crate::roster::Row;
use crate::views::View;

impl Directory {
    pub(crate) fn overview(&self) -> Overview {
        let services = self.views.services().into_iter().map(|(view, _)| self.of(&view)).collect();
        Overview {
            epoch: self.views.epoch(),
            revision: self.views.revision(),
            uptime_ms: millis(self.started.elapsed()),
            watchers: self.watchers(),
            trouble: self.trouble(),
            damage: self.damage().map(|damage| damage.to_string()),
            writer: self.writer(),
            services,
        }
    }

    fn of(&self, view: &View) -> ServiceOverview {
        let counts = view.counts();
        let doubt = (counts.suspect > 0).then(|| self.doubt(view));
        let (service, revision, watchers) = (view.name.to_string(), view.revision(), view.watchers());
        ServiceOverview {
            service,
            revision,
            watchers,
            up: counts.up,
            silent: counts.silent,
            suspect: counts.suspect,
            draining: counts.draining,
            doubt,
        }
    }

    fn doubt(&self, view: &View) -> Doubt {
        let (guard, rows) = (&self.config.guard, view.rows());
        let suspects = || rows.iter().filter(|row| row.listed.presence == Presence::Suspect);
        let (lost, all) = (suspects().count(), rows.len());
        let since = suspects().map(|row| row.since).min().unwrap_or_default();
        let left = guard.suspect_for.saturating_sub(self.now().since(since));
        Doubt {
            reason: format!(
                "{lost} of {all} have stopped beating, and at once no more than {} or {} % may go, and never the last",
                guard.most, guard.percent
            ),
            gone_in_ms: (lost < all).then(|| millis(left)),
        }
    }

    /// What is known of a service's first `most` instances.
    pub(crate) fn inspect(&self, service: &str, most: usize) -> Inspection {
        let (rows, now) = (self.views.get(service).map(|view| view.rows()).unwrap_or_default(), self.now());
        let instances = rows.iter().take(most).map(|row| inspected(row, now)).collect();
        Inspection { service: service.to_owned(), instances }
    }
}

fn inspected(row: &Row, now: Time) -> Inspected {
    Inspected {
        listed: (*row.listed).clone(),
        since_ms: millis(now.since(row.since)),
        beaten_ms: row.pulse.age(now).map(millis),
        held: row.pulse.is_held(),
        // Whoever knows a lease's whole name can end it.
        lease: row.lease.as_ref().and_then(|lease| lease.as_str().get(..8.min(lease.as_str().len()))?.parse().ok()),
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
