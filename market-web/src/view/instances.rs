//! The instances that a page shows: a large table, and a small one of the services behind it.

use askama::Template;

use super::row::Row;
use super::words::ago;
use crate::kind::Work;
use crate::state::State;
use crate::tab::Tab;

/// The part of a page that shows them.
#[derive(Template)]
#[template(path = "instances.html")]
pub(super) struct Instances<'a> {
    tab: Tab,
    state: &'a State,
    rows: Vec<Row<'a>>,
    services: Vec<Row<'a>>,
}

impl<'a> Instances<'a> {
    pub(super) fn of(state: &'a State, tab: Tab) -> Self {
        Self {
            tab,
            state,
            rows: state.instances(tab.kind).iter().map(Row::of).collect(),
            services: tab.services.iter().flat_map(|kind| state.instances(*kind)).map(Row::of).collect(),
        }
    }

    fn heard(&self) -> String {
        ago(self.state.rows.registry(self.tab.kind).and_then(|registry| registry.age))
    }

    fn reachable(&self) -> bool {
        !self.state.is_lost(self.tab.kind)
    }
}
