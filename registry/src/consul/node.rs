//! The one node there is.

use axum::response::Response;
use serde::Serialize;

use super::answer::{No, index};
use super::asked::Asked;
use super::shown::Check;
use crate::Consul;

/// Where Consul's servers talk to each other. Nobody does so here; clients only want to see that there is a leader.
pub(super) const SERVER_PORT: u16 = 8300;

/// A node, as the catalog shows it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Node<'a> {
    #[serde(rename = "ID")]
    id: &'static str,
    node: &'a str,
    address: String,
    datacenter: &'a str,
    tagged_addresses: Tagged,
    meta: Nothing,
    create_index: u64,
    modify_index: u64,
}

#[derive(Debug, Clone, Serialize)]
pub(super) struct Tagged {
    lan: String,
    wan: String,
}

impl Tagged {
    pub(super) fn new(consul: &Consul) -> Self {
        Self { lan: consul.address.to_string(), wan: consul.address.to_string() }
    }
}

/// An object without anything in it.
#[derive(Debug, Default, Serialize)]
pub(super) struct Nothing {}

impl<'a> Node<'a> {
    pub(super) fn new(consul: &'a Consul) -> Self {
        Self {
            id: "",
            node: &consul.node,
            address: consul.address.to_string(),
            datacenter: &consul.datacenter,
            tagged_addresses: Tagged::new(consul),
            meta: Nothing {},
            create_index: index(0),
            modify_index: index(0),
        }
    }
}

/// The check that every node has. Whoever reads it has reached the node.
pub(super) fn serf_health(consul: &Consul) -> Check<'_> {
    Check {
        node: &consul.node,
        id: "serfHealth".into(),
        name: "Serf Health Status".into(),
        status: "passing",
        notes: "".into(),
        output: "Agent alive and reachable".into(),
        service_id: "",
        service_name: "",
        service_tags: &[],
        kind: "",
        definition: Nothing {},
        create_index: index(0),
        modify_index: index(0),
    }
}

fn server(asked: &Asked) -> String {
    let address = asked.directory.config().consul.address;
    std::net::SocketAddr::new(address, SERVER_PORT).to_string()
}

pub(super) async fn leader(asked: Asked) -> Result<Response, No> {
    asked.knows(&[])?;
    asked.answer(&server(&asked))
}

pub(super) async fn peers(asked: Asked) -> Result<Response, No> {
    asked.knows(&[])?;
    asked.answer(&[server(&asked)])
}
