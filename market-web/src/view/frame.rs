//! What both pages have around their own things.

use super::Drawing;
use crate::catalog::Thing;
use crate::kind::Kind;
use crate::state::State;

/// The frame of a page: its parts as they look at this moment.
#[derive(Debug)]
pub(super) struct Frame {
    /// Whose page it is.
    pub(super) here: Kind,
    /// Whether this is the plain shop.
    pub(super) plain: bool,
    pub(super) in_lab: bool,
    drawing: Drawing,
}

/// What a part that both pages have is called on each.
pub(super) struct Ids {
    pub(super) summary: &'static str,
    pub(super) banners: &'static str,
    pub(super) instances: &'static str,
}

impl Frame {
    pub(super) fn of(here: Kind, state: &State) -> Self {
        Self { here, plain: state.registry.is_none(), in_lab: state.in_lab, drawing: Drawing::of(state) }
    }

    pub(super) fn part(&self, name: &str) -> &str {
        self.drawing.part(name)
    }

    pub(super) fn rating(&self, thing: &Thing) -> &str {
        self.part(&format!("rating-{}", thing.id))
    }

    pub(super) fn summary(&self) -> &str {
        self.part(Ids::of(self.here).summary)
    }

    pub(super) fn banners(&self) -> &str {
        self.part(Ids::of(self.here).banners)
    }

    pub(super) fn instances(&self) -> &str {
        self.part(Ids::of(self.here).instances)
    }
}

impl Ids {
    pub(super) fn of(kind: Kind) -> Self {
        match kind {
            Kind::Ratings => Self { summary: "summary", banners: "banners", instances: "instances" },
            Kind::Bidders => Self { summary: "bidders-summary", banners: "bidders-banners", instances: "bidders" },
        }
    }
}
