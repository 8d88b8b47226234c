//! The registry as Consul's clients know it: an agent, its services and their checks, catalog and health, over HTTP.
//!
//! An instance is a service of theirs: what they register is on every list, and what is registered otherwise is on theirs,
//! with one check that says whether it beats. There is one node, and it is well.
//!
//! | There | Here |
//! |---|---|
//! | a service's `Name`, `ID`, `Tags`, `Meta`, `Port`, `Weights.Passing` | service, id, tags, metadata, port and weight of an instance; names as everywhere here |
//! | no `Address` | that of the node |
//! | no checks, or all of them passing or warning | up |
//! | the TTL of a check ran out | silent; after `DeregisterCriticalServiceAfter` gone, or suspect, as the guard decides |
//! | a check said critical, or maintenance | draining, also when another check's TTL ran out; gone after the same time |
//! | an index | one more than a revision, so that it is at least 1 |
//!
//! | Instance of ours | Check there |
//! |---|---|
//! | up | `service:ID` passing |
//! | silent, suspect | `service:ID` critical |
//! | draining | `_service_maintenance:ID` critical besides |
//!
//! An instance of ours whose id is that of another one too is called `SERVICE/ID` where all are in one map.
//!
//! Whatever is not done is refused with the reason, never ignored: checks without a TTL, as this registry makes no calls of
//! its own; checks and maintenance of the node, which would be those of everybody; filters; proxies and Connect. Other
//! differences: of two ids of one service at one address and port, the later one stays; to change nothing by registering
//! again is no change; `wait` is not stretched by chance.

mod agent;
mod answer;
mod asked;
mod body;
mod catalog;
mod checks;
mod definition;
pub(crate) mod duration;
mod health;
mod maintenance;
mod node;
mod register;
mod service;
mod shown;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use axum::Router;
use axum::routing::{any, get, put};

#[cfg(feature = "etcd")]
pub(crate) use self::answer::{KNOWN_LEADER, LAST_CONTACT};
pub(crate) use self::answer::{No, at, index};
pub(crate) use self::asked::{Asked, short};
use crate::directory::Directory;

/// Everything that Consul's clients are answered.
pub(crate) fn routes() -> Router<Arc<Directory>> {
    Router::new()
        .route("/v1/agent/self", get(agent::myself))
        .route("/v1/agent/members", get(agent::members))
        .route("/v1/agent/services", get(agent::services))
        .route("/v1/agent/service/{id}", get(agent::service))
        .route("/v1/agent/checks", get(agent::checks))
        .route("/v1/agent/health/service/id/{id}", get(agent::health_by_id))
        .route("/v1/agent/health/service/name/{name}", get(agent::health_by_name))
        .route("/v1/agent/service/register", put(register::register))
        .route("/v1/agent/service/deregister/{*id}", put(register::deregister))
        .route("/v1/agent/service/maintenance/{*id}", put(maintenance::service))
        .route("/v1/agent/maintenance", put(maintenance::node))
        .route("/v1/agent/check/register", put(checks::register))
        .route("/v1/agent/check/deregister/{*id}", put(checks::deregister))
        .route("/v1/agent/check/pass/{*id}", put(checks::pass))
        .route("/v1/agent/check/warn/{*id}", put(checks::warn))
        .route("/v1/agent/check/fail/{*id}", put(checks::fail))
        .route("/v1/agent/check/update/{*id}", put(checks::update))
        .route("/v1/catalog/datacenters", get(catalog::datacenters))
        .route("/v1/catalog/nodes", get(catalog::nodes))
        .route("/v1/catalog/node/{node}", get(catalog::node))
        .route("/v1/catalog/services", get(catalog::services))
        .route("/v1/catalog/service/{name}", get(catalog::service))
        .route("/v1/catalog/register", any(catalog::refuse))
        .route("/v1/catalog/deregister", any(catalog::refuse))
        .route("/v1/catalog/connect/{*name}", any(health::refuse_connect))
        .route("/v1/health/service/{name}", get(health::service))
        .route("/v1/health/checks/{name}", get(health::checks))
        .route("/v1/health/state/{state}", get(health::state))
        .route("/v1/health/node/{node}", get(health::node))
        .route("/v1/health/connect/{*name}", any(health::refuse_connect))
        .route("/v1/health/ingress/{*name}", any(health::refuse_connect))
        .route("/v1/status/leader", get(node::leader))
        .route("/v1/status/peers", get(node::peers))
}
