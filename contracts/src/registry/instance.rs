//! An instance, and what is thought of it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::InstanceId;
#[cfg(doc)]
use super::{GONE_AFTER, SILENT_AFTER, SUSPECT_FOR};
use crate::Address;

/// One running copy of a service, as everybody sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Instance {
    /// Its name.
    pub id: InstanceId,
    /// Its own number, the same across restarts: what people call it by.
    pub number: u32,
    /// Where it is reached.
    pub address: Address,
    /// Where it stands, if that matters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
    /// What share of the calls it asks for, beside instances of weight 1. Told to everybody; round robin does not
    /// look at it.
    #[serde(default = "one")]
    pub weight: u16,
    /// What version it runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Words that it may be looked for by, as `primary.ratings.service.consul` does. The SDK does not look at them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// Whatever else it says of itself.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: BTreeMap<String, String>,
    /// Grows with every start of its process, so that a restarted one can be told from a returned one.
    pub incarnation: u64,
}

pub(super) fn one() -> u16 {
    1
}

/// What the registry thinks of an instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Presence {
    /// It beats.
    Up,
    /// It has not beaten for [`SILENT_AFTER`]; it may yet.
    Silent,
    /// It was silent for [`GONE_AFTER`], and so were too many others: what was lost is more likely the way to them. It
    /// stays listed until it beats, an operator releases it, or for [`SUSPECT_FOR`].
    Suspect,
    /// It asks for no more calls: it is about to leave, or is being looked after. What has begun goes on.
    Draining,
    /// It left, its lease connection closed, or it was silent for too long.
    Gone,
}

impl Presence {
    /// The word for it, as it is sent.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Silent => "silent",
            Self::Suspect => "suspect",
            Self::Draining => "draining",
            Self::Gone => "gone",
        }
    }
}

/// An instance and what the registry thinks of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listed {
    /// The instance.
    #[serde(flatten)]
    pub instance: Instance,
    /// Anything but gone: what is gone is not listed.
    pub presence: Presence,
}

/// Why an instance is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GoneReason {
    /// It said good-bye.
    Left,
    /// Its lease connection closed: the process ended.
    ConnectionClosed,
    /// It was silent for [`GONE_AFTER`], or suspect for [`SUSPECT_FOR`].
    Silent,
    /// It was suspect, and an operator said that it is lost.
    Released,
    /// A reason that only later clients know.
    #[serde(other)]
    Unknown,
}

impl GoneReason {
    /// The word for it, as it is sent.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Left => "left",
            Self::ConnectionClosed => "connection-closed",
            Self::Silent => "silent",
            Self::Released => "released",
            Self::Unknown => "unknown",
        }
    }
}
