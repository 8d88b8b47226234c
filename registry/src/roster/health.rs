//! What an instance's checks say of it. Only instances that Consul's clients register have any.

use std::time::Duration;

use mainstay_contracts::registry::Presence;
use serde::{Deserialize, Serialize};

/// The checks of an instance, and whether it is being looked after.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Health {
    pub(crate) checks: Vec<Check>,
    /// Why it asks for no calls, if it does: a drain says nothing.
    pub(crate) maintenance: Option<String>,
    /// Its weight while a check warns, which is only told.
    pub(crate) warning_weight: u16,
}

/// Something that has to be said again and again, or it is not believed any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Check {
    /// Unique within the registry.
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) notes: String,
    /// For so long a word holds.
    pub(crate) ttl: Duration,
    /// Critical for so long, its instance is gone; without it, never.
    pub(crate) gone_after: Option<Duration>,
    /// What was said last.
    pub(crate) said: Status,
    /// What was said besides.
    pub(crate) output: String,
    /// That was too long ago.
    pub(crate) expired: bool,
}

/// How it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Status {
    Passing,
    Warning,
    Critical,
}

impl Status {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Passing => "passing",
            Self::Warning => "warning",
            Self::Critical => "critical",
        }
    }
}

impl Check {
    pub(crate) fn status(&self) -> Status {
        if self.expired { Status::Critical } else { self.said }
    }
}

impl Health {
    pub(crate) fn check(&self, id: &str) -> Option<&Check> {
        self.checks.iter().find(|check| check.id == id)
    }

    pub(super) fn check_mut(&mut self, id: &str) -> Option<&mut Check> {
        self.checks.iter_mut().find(|check| check.id == id)
    }

    /// What to think of the instance, of which so far `before` was thought.
    ///
    /// Whoever says that it does not work asks for no calls, whatever else is late: that is known, and silence is a guess.
    pub(super) fn presence(&self, before: Presence) -> Presence {
        let asks_for_none = |check: &Check| check.said == Status::Critical && !check.expired;
        if self.maintenance.is_some() || self.checks.iter().any(asks_for_none) {
            Presence::Draining
        } else if !self.checks.iter().any(|check| check.expired) {
            Presence::Up
        } else if before == Presence::Suspect {
            Presence::Suspect
        } else {
            Presence::Silent
        }
    }
}
