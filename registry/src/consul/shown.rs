//! An instance as Consul's clients see it.

use std::borrow::Cow;
use std::collections::BTreeMap;

use mainstay_contracts::registry::{Instance, Presence};
use serde::Serialize;

use super::answer::index;
use super::node::{Node, Nothing, Tagged};
use crate::Consul;
use crate::roster::{self, Row, Status};

const NO_REASON: &str =
    "Maintenance mode is enabled for this service, but no reason was provided. This is a default message.";

/// A check, in every list that has checks.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Check<'a> {
    pub(super) node: &'a str,
    #[serde(rename = "CheckID")]
    pub(super) id: Cow<'a, str>,
    pub(super) name: Cow<'a, str>,
    pub(super) status: &'static str,
    pub(super) notes: Cow<'a, str>,
    pub(super) output: Cow<'a, str>,
    #[serde(rename = "ServiceID")]
    pub(super) service_id: &'a str,
    pub(super) service_name: &'a str,
    pub(super) service_tags: &'a [String],
    #[serde(rename = "Type")]
    pub(super) kind: &'static str,
    pub(super) definition: Nothing,
    pub(super) create_index: u64,
    pub(super) modify_index: u64,
}

/// A service, as the agent and the health lists show it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Service<'a> {
    #[serde(rename = "ID")]
    id: &'a str,
    service: &'a str,
    tags: &'a [String],
    meta: &'a BTreeMap<String, String>,
    address: &'a str,
    port: u16,
    weights: Weights,
    enable_tag_override: bool,
    datacenter: &'a str,
    create_index: u64,
    modify_index: u64,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Weights {
    passing: u16,
    warning: u16,
}

/// A service and the node that it is on, as the catalog shows it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct OnNode<'a> {
    #[serde(rename = "ID")]
    node_id: &'static str,
    node: &'a str,
    address: String,
    datacenter: &'a str,
    tagged_addresses: Tagged,
    node_meta: Nothing,
    #[serde(rename = "ServiceID")]
    id: &'a str,
    service_name: &'a str,
    service_tags: &'a [String],
    service_meta: &'a BTreeMap<String, String>,
    service_address: &'a str,
    service_port: u16,
    service_weights: Weights,
    service_enable_tag_override: bool,
    create_index: u64,
    modify_index: u64,
}

/// An entry of the health list of a service.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Healthy<'a> {
    pub(super) node: Node<'a>,
    pub(super) service: Service<'a>,
    pub(super) checks: Vec<Check<'a>>,
}

/// An instance, and where Consul's clients believe it to be.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shown<'a> {
    pub(super) consul: &'a Consul,
    pub(super) service: &'a str,
    pub(super) revision: u64,
    pub(super) row: &'a Row,
}

impl<'a> Shown<'a> {
    fn instance(&self) -> &'a Instance {
        &self.row.listed.instance
    }

    pub(super) fn service(&self) -> Service<'a> {
        let instance = self.instance();
        Service {
            id: instance.id.as_str(),
            service: self.service,
            tags: &instance.tags,
            meta: &instance.metadata,
            address: instance.address.host(),
            port: instance.address.port(),
            weights: self.weights(),
            enable_tag_override: false,
            datacenter: &self.consul.datacenter,
            create_index: index(self.revision),
            modify_index: index(self.revision),
        }
    }

    pub(super) fn on_node(&self) -> OnNode<'a> {
        let instance = self.instance();
        OnNode {
            node_id: "",
            node: &self.consul.node,
            address: self.consul.address.to_string(),
            datacenter: &self.consul.datacenter,
            tagged_addresses: Tagged::new(self.consul),
            node_meta: Nothing {},
            id: instance.id.as_str(),
            service_name: self.service,
            service_tags: &instance.tags,
            service_meta: &instance.metadata,
            service_address: instance.address.host(),
            service_port: instance.address.port(),
            service_weights: self.weights(),
            service_enable_tag_override: false,
            create_index: index(self.revision),
            modify_index: index(self.revision),
        }
    }

    fn weights(&self) -> Weights {
        let warning = self.row.health.as_ref().map_or(1, |health| health.warning_weight);
        Weights { passing: self.instance().weight, warning }
    }

    /// Its checks, without those of the node.
    pub(super) fn checks(&self) -> Vec<Check<'a>> {
        let (mut checks, maintenance) = match &self.row.health {
            Some(health) => {
                let checks = health.checks.iter().map(|check| self.registered(check)).collect::<Vec<_>>();
                (checks, health.maintenance.as_deref())
            }
            None => {
                let drains = self.row.listed.presence == Presence::Draining;
                (vec![self.beats()], drains.then_some(""))
            }
        };
        if let Some(why) = maintenance {
            let notes = if why.is_empty() { NO_REASON } else { why };
            let id = format!("_service_maintenance:{}", self.instance().id).into();
            checks.push(Check { notes: notes.into(), ..self.check(id, "Service Maintenance Mode", "maintenance") });
        }
        checks
    }

    /// The worst that its checks say.
    pub(super) fn status(&self) -> Status {
        if let Some(health) = &self.row.health
            && health.maintenance.is_none()
        {
            return health.checks.iter().map(roster::Check::status).max().unwrap_or(Status::Passing);
        }
        if self.row.listed.presence == Presence::Up { Status::Passing } else { Status::Critical }
    }

    fn registered(&self, check: &'a roster::Check) -> Check<'a> {
        let output = match (check.expired, check.output.as_str()) {
            (false, output) => output.into(),
            (true, "") => "TTL expired".into(),
            (true, output) => format!("TTL expired (last output before timeout follows): {output}").into(),
        };
        let (status, notes) = (check.status().word(), check.notes.as_str().into());
        Check { status, notes, output, ..self.check(check.id.as_str().into(), &check.name, "ttl") }
    }

    /// The check of an instance that is there by a lease.
    fn beats(&self) -> Check<'a> {
        let (status, output) = match self.row.listed.presence {
            Presence::Up | Presence::Draining => (Status::Passing, "its lease beats"),
            Presence::Silent => (Status::Critical, "its lease has not beaten in time"),
            Presence::Suspect | Presence::Gone => (Status::Critical, "its lease is over, as are those of many others"),
        };
        let id = format!("service:{}", self.instance().id).into();
        Check { status: status.word(), output: output.into(), ..self.check(id, "Lease", "ttl") }
    }

    fn check(&self, id: Cow<'a, str>, name: &'a str, kind: &'static str) -> Check<'a> {
        let instance = self.instance();
        Check {
            node: &self.consul.node,
            id,
            name: name.into(),
            status: Status::Critical.word(),
            notes: "".into(),
            output: "".into(),
            service_id: instance.id.as_str(),
            service_name: self.service,
            service_tags: &instance.tags,
            kind,
            definition: Nothing {},
            create_index: index(self.revision),
            modify_index: index(self.revision),
        }
    }
}
