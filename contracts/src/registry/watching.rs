//! What is asked by whoever looks for a service.

use std::collections::BTreeMap;

use http::Method;
use serde::{Deserialize, Serialize};

#[cfg(doc)]
use super::WATCH;
use super::{Listed, Registry};
use crate::Call;

/// Who is there now? A service nobody registered for is an empty list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct List {
    /// The service.
    pub service: String,
}

impl Call for List {
    type Service = Registry;
    type Response = Listing;
    const METHOD: Method = Method::GET;
    const ROUTE: &'static str = "/v1/services/{service}";
}

/// All instances of a service at one revision, by number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listing {
    /// The service.
    pub service: String,
    /// Which life of the registry's memory this is.
    pub epoch: u64,
    /// The last change of the service, or a later one of another.
    pub revision: u64,
    /// Who is there.
    pub instances: Vec<Listed>,
}

/// Which services are there?
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Services {}

impl Call for Services {
    type Service = Registry;
    type Response = ServiceNames;
    const METHOD: Method = Method::GET;
    const ROUTE: &'static str = "/v1/services";
}

/// The answer to [`Services`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceNames {
    /// Which life of the registry's memory this is.
    pub epoch: u64,
    /// Name and number of listed instances.
    pub services: BTreeMap<String, usize>,
}

/// What [`WATCH`] is asked with: a service, and how much of it has been seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Watch {
    /// The service.
    pub service: String,
    /// Which life of the registry's memory the revision is of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub epoch: Option<u64>,
    /// The last revision seen: tell what came after.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<u64>,
}
