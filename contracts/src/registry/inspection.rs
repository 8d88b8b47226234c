//! What is asked by whoever looks after the registry.

use http::Method;
use serde::{Deserialize, Serialize};

use super::{LeaseId, Listed, Registry};
#[cfg(doc)]
use super::{Presence, Release};
use crate::{Address, Call};

/// How is the registry? `GET`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Look {}

impl Call for Look {
    type Service = Registry;
    type Response = Overview;
    const METHOD: Method = Method::GET;
    const ROUTE: &'static str = "/v1/overview";
}

/// The answer to [`Look`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Overview {
    /// Which life of the registry's memory this is.
    pub epoch: u64,
    /// The last change of any service.
    pub revision: u64,
    /// For how long its process has been there, in milliseconds.
    pub uptime_ms: u64,
    /// How many watch.
    pub watchers: usize,
    /// Why nothing can be changed at present.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trouble: Option<String>,
    /// What of its memory was damaged when it started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub damage: Option<String>,
    /// Which of several replicas writes, if there are several and one does. It is the one that says this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub writer: Option<Address>,
    /// Services that have instances, by name.
    pub services: Vec<ServiceOverview>,
}

/// A service in an [`Overview`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceOverview {
    /// Its name.
    pub service: String,
    /// Its last change.
    pub revision: u64,
    /// How many watch it.
    pub watchers: usize,
    /// How many instances beat.
    pub up: usize,
    /// How many are silent.
    pub silent: usize,
    /// How many are suspect.
    pub suspect: usize,
    /// How many ask for no more calls.
    pub draining: usize,
    /// Why some are suspect, if some are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub doubt: Option<Doubt>,
}

impl ServiceOverview {
    /// How many instances there are.
    pub fn instances(&self) -> usize {
        self.up + self.silent + self.suspect + self.draining
    }
}

/// Why instances are still listed that would be gone by time: see [`Presence::Suspect`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Doubt {
    /// In words.
    pub reason: String,
    /// When the first of them is gone, in milliseconds, unless it beats or is [released](Release) before; never, if
    /// nobody else is left.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gone_in_ms: Option<u64>,
}

/// What does the registry know of a service's instances? `GET`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Inspect {
    /// The service.
    pub service: String,
}

impl Call for Inspect {
    type Service = Registry;
    type Response = Inspection;
    const METHOD: Method = Method::GET;
    const ROUTE: &'static str = "/v1/services/{service}/inspect";
}

/// The answer to [`Inspect`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inspection {
    /// The service.
    pub service: String,
    /// Its instances, by number.
    pub instances: Vec<Inspected>,
}

/// An instance in an [`Inspection`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inspected {
    /// The instance.
    #[serde(flatten)]
    pub listed: Listed,
    /// For how long it has had this presence, in milliseconds.
    pub since_ms: u64,
    /// How long ago it beat, in milliseconds; nothing, if whoever answers has yet to hear it, as after a restart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub beaten_ms: Option<u64>,
    /// Whether a connection stands for it.
    pub held: bool,
    /// How the name of the lease that it shares begins, if it shares one. Whoever knows all of it could end it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lease: Option<LeaseId>,
}
