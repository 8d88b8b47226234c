//! What an instance says, and what an operator does.

use std::collections::BTreeMap;

use http::Method;
use serde::{Deserialize, Serialize};

use super::instance::one;
#[cfg(doc)]
use super::{HOLD, Instance, Presence};
use super::{InstanceId, LeaseId, Registry};
use crate::{Address, Call};

/// Registers an instance, or renews and changes what is registered: `PUT`.
///
/// What is registered with a lease is there for as long as the lease is. Without one, it must [`Beat`]; what is
/// registered by [`HOLD`] beats too, and is gone with its connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Register {
    /// The service it is an instance of.
    pub service: String,
    /// Its name.
    pub id: InstanceId,
    /// Where it is reached.
    pub address: Address,
    /// Its number; the lowest free one when it does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<u32>,
    /// See [`Instance::zone`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
    /// See [`Instance::weight`]; 1 to 1000.
    #[serde(default = "one")]
    pub weight: u16,
    /// See [`Instance::version`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// See [`Instance::tags`]; at most 64, each 1 to 128 bytes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// See [`Instance::metadata`].
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: BTreeMap<String, String>,
    /// See [`Instance::incarnation`]; the registry makes one up for whoever does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incarnation: Option<u64>,
    /// The lease that it is there by; 404 when the registry does not know that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lease: Option<LeaseId>,
}

impl Call for Register {
    type Service = Registry;
    type Response = Registered;
    const METHOD: Method = Method::PUT;
    const ROUTE: &'static str = "/v1/services/{service}/instances/{id}";
}

/// The answer to [`Register`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Registered {
    /// Which life of the registry's memory this is; revisions of different epochs do not compare.
    pub epoch: u64,
    /// The revision from which on the instance is seen.
    pub revision: u64,
    /// The number it has.
    pub number: u32,
    /// The incarnation it has.
    pub incarnation: u64,
    /// How often to beat, in milliseconds.
    pub beat_every_ms: u64,
}

/// Says that an instance is still there: `POST`. 404 means: register again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Beat {
    /// The service it is an instance of.
    pub service: String,
    /// Its name.
    pub id: InstanceId,
    /// Which incarnation beats; 409 when a later one is registered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incarnation: Option<u64>,
}

impl Call for Beat {
    type Service = Registry;
    type Response = Beaten;
    const METHOD: Method = Method::POST;
    const ROUTE: &'static str = "/v1/services/{service}/instances/{id}/beat";
}

/// The answer to [`Beat`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Beaten {
    /// When to beat next, in milliseconds.
    pub beat_every_ms: u64,
}

/// Takes an instance off the list at once: `DELETE`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deregister {
    /// The service it is an instance of.
    pub service: String,
    /// Its name.
    pub id: InstanceId,
    /// Which incarnation leaves; 409 when a later one is registered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incarnation: Option<u64>,
}

impl Call for Deregister {
    type Service = Registry;
    type Response = Deregistered;
    const METHOD: Method = Method::DELETE;
    const ROUTE: &'static str = "/v1/services/{service}/instances/{id}";
}

/// The answer to [`Deregister`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deregistered {
    /// The revision from which on the instance is not seen.
    pub revision: u64,
}

/// Asks that an instance gets no more calls: `POST`. It stays listed, as [`Presence::Draining`], until it leaves.
///
/// Answered when the change has been handed to the connection of everybody who watches the service, or at the deadline.
/// What was picked before may still arrive, so whoever drains serves on for a moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Drain {
    /// The service it is an instance of.
    pub service: String,
    /// Its name.
    pub id: InstanceId,
    /// Which incarnation is to be drained; 409 when a later one is registered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incarnation: Option<u64>,
    /// How long to wait for watchers, in milliseconds: up to 60 000.
    #[serde(default = "a_second")]
    pub deadline_ms: u64,
}

fn a_second() -> u64 {
    1_000
}

impl Call for Drain {
    type Service = Registry;
    type Response = Drained;
    const METHOD: Method = Method::POST;
    const ROUTE: &'static str = "/v1/services/{service}/instances/{id}/drain";
}

/// The answer to [`Drain`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Drained {
    /// The revision from which on the instance asks for no calls.
    pub revision: u64,
    /// Watchers who have been told.
    pub told: usize,
    /// Watchers who had not been told at the deadline.
    pub untold: usize,
}

/// Takes a [`Drain`] back: `DELETE`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Undrain {
    /// The service it is an instance of.
    pub service: String,
    /// Its name.
    pub id: InstanceId,
    /// Which incarnation is meant; 409 when a later one is registered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incarnation: Option<u64>,
}

impl Call for Undrain {
    type Service = Registry;
    type Response = Undrained;
    const METHOD: Method = Method::DELETE;
    const ROUTE: &'static str = "/v1/services/{service}/instances/{id}/drain";
}

/// The answer to [`Undrain`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Undrained {
    /// The revision from which on the instance takes calls.
    pub revision: u64,
}

/// Says that a service's suspect instances are really lost, and takes them off the list: `POST`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Release {
    /// The service.
    pub service: String,
}

impl Call for Release {
    type Service = Registry;
    type Response = Released;
    const METHOD: Method = Method::POST;
    const ROUTE: &'static str = "/v1/services/{service}/release";
}

/// The answer to [`Release`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Released {
    /// The revision from which on they are not listed.
    pub revision: u64,
    /// How many there were.
    pub instances: usize,
}
