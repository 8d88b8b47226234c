//! The instances that a request is about.

use std::collections::BTreeMap;
use std::sync::Arc;

use http::StatusCode;

use super::answer::No;
use super::asked::{Asked, short};
use super::shown::Shown;
use crate::Consul;
use crate::directory::Directory;
use crate::roster::Row;
use crate::views::View;

/// Instances of services, each with the name of the service and the revision of its last change.
#[derive(Debug)]
pub(super) struct Listed {
    /// As of which revision.
    pub(super) revision: u64,
    rows: Vec<(String, u64, Row)>,
}

impl Listed {
    /// One service.
    pub(super) fn of(directory: &Directory, service: &str) -> Self {
        let Some(view) = directory.views().get(service) else {
            // In this order: whatever comes after is later.
            return Self { revision: directory.views().revision_of(service), rows: Vec::new() };
        };
        let (revision, rows) = view.at();
        Self { revision, rows: rows.into_iter().map(|(at, row)| (service.to_owned(), at, row)).collect() }
    }

    /// All that whoever asks may read, each service as it is at least at the revision.
    pub(super) fn all(asked: &Asked) -> Self {
        let revision = *asked.directory.views().changes().borrow();
        let views = readable(asked);
        let rows = views.flat_map(|view| {
            let name = view.name.to_string();
            view.at().1.into_iter().map(move |(at, row)| (name.clone(), at, row))
        });
        Self { revision, rows: rows.collect() }
    }

    pub(super) fn shown<'a>(&'a self, consul: &'a Consul) -> impl Iterator<Item = Shown<'a>> + 'a {
        self.rows.iter().map(move |(service, revision, row)| Shown { consul, service, revision: *revision, row })
    }

    /// By ids that are unique on the node: whoever registered with the agent has the id that it said, and of others with
    /// one id only the first.
    pub(super) fn by_id<'a>(&'a self, consul: &'a Consul) -> BTreeMap<String, Shown<'a>> {
        let (enlisted, others): (Vec<_>, Vec<_>) = self.shown(consul).partition(|shown| shown.row.health.is_some());
        let mut by_id = BTreeMap::new();
        for shown in enlisted.into_iter().chain(others) {
            let id = shown.row.listed.instance.id.to_string();
            let key = if by_id.contains_key(&id) { format!("{}/{id}", shown.service) } else { id };
            by_id.insert(key, shown);
        }
        by_id
    }

    /// The one that a path names.
    pub(super) fn named(asked: &Asked) -> Result<Self, No> {
        let named = asked.instance()?;
        let views = readable(asked).filter(|view| named.service.as_deref().is_none_or(|name| *name == *view.name));
        let mut rows: Vec<_> =
            views.filter_map(|view| view.row_at(&named.id).map(|(at, row)| (view.name.to_string(), at, row))).collect();
        // There is at most one that was registered with the agent, and that is meant.
        rows.sort_by_key(|(_, _, row)| row.health.is_none());
        match &rows[..] {
            [] => Err(No::not_found(format!("unknown service ID: {:?}", short(&asked.about)))),
            [(one, _, row), (other, _, _), ..] if row.health.is_none() => {
                let reason = format!("{} is one of {one} and one of {other}: say SERVICE%2F{}", named.id, named.id);
                Err(No::new(StatusCode::CONFLICT, reason))
            }
            [(_, revision, _), ..] => {
                let revision = *revision;
                rows.truncate(1);
                Ok(Self { revision, rows })
            }
        }
    }
}

/// The services that whoever asks may read.
fn readable(asked: &Asked) -> impl Iterator<Item = Arc<View>> {
    let views = asked.directory.views().services().into_iter().map(|(view, _)| view);
    views.filter(|view| asked.rights.may_read(&view.name))
}
