//! The lease of a process: what it has registered is there for as long as its lease is.

use http::Method;
use serde::{Deserialize, Serialize};

#[cfg(doc)]
use super::HOLD_LEASE;
use super::{Beaten, LeaseId, Registry};
use crate::Call;

/// What [`HOLD_LEASE`] is asked with. A lease that the registry knows is taken over, with all that is registered with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HoldLease {
    /// The lease.
    pub lease: LeaseId,
}

/// Says that a process is still there, with all that it has registered: `POST`. 404 means: hold and register again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BeatLease {
    /// The lease.
    pub lease: LeaseId,
}

impl Call for BeatLease {
    type Service = Registry;
    type Response = Beaten;
    const METHOD: Method = Method::POST;
    const ROUTE: &'static str = "/v1/leases/{lease}/beat";
}

/// Takes off the list what is registered with a lease, and ends the lease: `DELETE`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EndLease {
    /// The lease.
    pub lease: LeaseId,
}

impl Call for EndLease {
    type Service = Registry;
    type Response = LeaseEnded;
    const METHOD: Method = Method::DELETE;
    const ROUTE: &'static str = "/v1/leases/{lease}";
}

/// The answer to [`EndLease`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeaseEnded {
    /// The revision from which on they are not listed.
    pub revision: u64,
    /// How many instances there were.
    pub instances: usize,
}
