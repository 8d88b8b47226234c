//! What all pages have around their own things.

use super::Drawing;
use crate::catalog::Thing;
use crate::state::State;
use crate::tab::Tab;

/// The frame of a page: its parts as they look at this moment.
#[derive(Debug)]
pub(super) struct Frame {
    /// Which page it is.
    pub(super) here: Tab,
    /// Whether this is the plain shop.
    pub(super) plain: bool,
    pub(super) in_lab: bool,
    drawing: Drawing,
}

impl Frame {
    pub(super) fn of(here: Tab, state: &State) -> Self {
        Self { here, plain: state.registry.is_none(), in_lab: state.in_lab, drawing: Drawing::of(here, state) }
    }

    pub(super) fn part(&self, name: &str) -> &str {
        self.drawing.part(name)
    }

    pub(super) fn rating(&self, thing: &Thing) -> &str {
        self.part(&format!("rating-{}", thing.id))
    }
}
