//! What somebody may.

use serde::{Deserialize, Serialize};

/// The beginnings of the names of services that may be read and registered. The empty one begins all.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rights {
    /// Who may be found.
    #[serde(default)]
    pub read: Vec<String>,
    /// Who may be registered, drained and released, and found as well.
    #[serde(default)]
    pub register: Vec<String>,
}

impl Rights {
    /// Everything.
    pub fn all() -> Self {
        Self { read: vec![String::new()], register: vec![String::new()] }
    }

    /// May services whose names begin so be read?
    pub fn may_read(&self, name: &str) -> bool {
        begins(&self.read, name) || self.may_register(name)
    }

    /// May any service be read?
    pub fn may_read_some(&self) -> bool {
        !self.read.is_empty() || self.may_register_some()
    }

    /// May services whose names begin so be registered?
    pub fn may_register(&self, name: &str) -> bool {
        begins(&self.register, name)
    }

    /// May any service be registered?
    pub fn may_register_some(&self) -> bool {
        !self.register.is_empty()
    }

    /// These, and those.
    pub(super) fn and(mut self, those: &Self) -> Self {
        self.read.extend_from_slice(&those.read);
        self.register.extend_from_slice(&those.register);
        self
    }
}

fn begins(beginnings: &[String], name: &str) -> bool {
    beginnings.iter().any(|beginning| name.starts_with(beginning.as_str()))
}
