//! What has changed, for whoever keeps it and whoever tells it.

use std::sync::Arc;

use bytes::Bytes;
use mainstay_contracts::registry::{GoneReason, InstanceId, LeaseId, Listed};

use super::health::Health;
use super::leases::Member;
use crate::clock::Time;
use crate::pulse::Pulse;

/// All that changed since the last time it was asked, in order.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    pub(crate) changes: Vec<Change>,
    /// Who has been gone for so long, or before so many others, that nobody is told any more.
    pub(crate) forgotten: Vec<Grave>,
    /// Named leases that are new, and those that are no more.
    pub(crate) leases: Vec<(LeaseId, Option<Arc<Pulse>>)>,
    /// Checks that are new, or have a new pulse, and those that are no more.
    pub(crate) checks: Vec<(Arc<str>, Option<Heard>)>,
    /// Lease connections that stand for nothing any more.
    pub(crate) ended: Vec<HoldEnded>,
    /// Instances that another process has the place of, though the lease connection that stood for them goes on.
    pub(crate) replaced: Vec<Replaced>,
}

/// Where a check is heard of.
#[derive(Debug, Clone)]
pub(crate) struct Heard {
    /// Whose check it is.
    pub(crate) member: Member,
    pub(crate) pulse: Arc<Pulse>,
}

/// One instance at one revision.
#[derive(Debug, Clone)]
pub(crate) struct Change {
    pub(crate) revision: u64,
    pub(crate) service: Arc<str>,
    pub(crate) id: InstanceId,
    pub(crate) became: Became,
}

impl Change {
    /// What is left of the instance, when it is gone.
    #[cfg(feature = "etcd")]
    pub(crate) fn grave(&self) -> Grave {
        Grave { revision: self.revision, service: Arc::clone(&self.service), id: self.id.clone() }
    }

    /// The instance, unless it is gone.
    pub(crate) fn row(&self) -> Option<&Row> {
        match &self.became {
            Became::Listed(row) => Some(row),
            Became::Gone(_) => None,
        }
    }
}

/// What an instance became.
#[derive(Debug, Clone)]
pub(crate) enum Became {
    Listed(Row),
    Gone(GoneReason),
}

/// An instance on the list, with what only the registry knows of it.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub(crate) listed: Arc<Listed>,
    /// The instance as JSON: written once, for watchers, for its fingerprint and for the disk.
    pub(crate) json: Bytes,
    /// Since when it has the presence it has.
    pub(crate) since: Time,
    /// The lease that it is registered with, unless that is its own.
    pub(crate) lease: Option<LeaseId>,
    pub(crate) pulse: Arc<Pulse>,
    /// What its checks say, if it is one that may have any.
    pub(crate) health: Option<Arc<Health>>,
}

/// Who is gone, and since when.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Grave {
    pub(crate) revision: u64,
    pub(crate) service: Arc<str>,
    pub(crate) id: InstanceId,
}

/// An instance that was a lease connection's, by the number of that, and the incarnation that has its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Replaced {
    pub(crate) hold: u64,
    pub(crate) member: Member,
    pub(crate) by: u64,
}

/// The number of a lease connection, and the later incarnation that has taken its instance's place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct HoldEnded {
    pub(crate) hold: u64,
    pub(crate) superseded_by: Option<u64>,
}
