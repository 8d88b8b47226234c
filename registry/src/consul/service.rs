//! The instances that a request is about.

use std::collections::BTreeMap;

use super::answer::No;
use super::asked::Asked;
use super::shown::Shown;
use crate::Consul;
use crate::directory::Directory;
use crate::roster::Row;

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

    /// All there are, each service as it is at least at the revision.
    pub(super) fn all(directory: &Directory) -> Self {
        let revision = *directory.views().changes().borrow();
        let views = directory.views().services().into_iter().map(|(view, _)| view);
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
    pub(super) fn named<'a>(&'a self, asked: &Asked, consul: &'a Consul) -> Result<Shown<'a>, No> {
        let unknown = || No::not_found(format!("unknown service ID: {:?}", super::asked::short(&asked.about)));
        let named = asked.instance()?;
        let is_it = |shown: &Shown<'a>| {
            shown.row.listed.instance.id == named.id && named.service.as_ref().is_none_or(|name| name == shown.service)
        };
        let mut found: Vec<Shown<'a>> = self.shown(consul).filter(is_it).collect();
        found.sort_by_key(|shown| shown.row.health.is_none());
        match found[..] {
            [] => Err(unknown()),
            [one, other, ..] if one.row.health.is_none() => {
                let reason = format!("{} is one of {} and one of {}", named.id, one.service, other.service);
                Err(No::new(http::StatusCode::CONFLICT, format!("{reason}: say SERVICE%2F{}", named.id)))
            }
            [one, ..] => Ok(one),
        }
    }
}
