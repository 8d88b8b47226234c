//! What the agent knows: itself, and everybody who is registered.

use std::collections::BTreeMap;

use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde::Serialize;
use serde_json::json;

use super::answer::No;
use super::asked::Asked;
use super::node::{Node, SERVER_PORT};
use super::service::Listed;
use super::shown::{Check, Service, Shown};
use crate::Consul;
use crate::roster::Status;

fn member(consul: &Consul) -> serde_json::Value {
    json!({
        "Name": consul.node, "Addr": consul.address, "Port": SERVER_PORT + 1, "Tags": { "dc": consul.datacenter },
        "Status": 1, "ProtocolMin": 1, "ProtocolMax": 5, "ProtocolCur": 2, "DelegateMin": 2, "DelegateMax": 5,
        "DelegateCur": 4,
    })
}

pub(super) async fn myself(asked: Asked) -> Result<Response, No> {
    asked.knows(&[])?;
    let consul = &asked.directory.config().consul;
    asked.answer(&json!({
        "Config": {
            "Datacenter": consul.datacenter, "PrimaryDatacenter": consul.datacenter, "NodeName": consul.node,
            "NodeID": "", "Server": true, "Revision": "mainstay", "Version": env!("CARGO_PKG_VERSION"),
        },
        "Member": member(consul),
        "Meta": {},
        "Node": Node::new(consul),
    }))
}

pub(super) async fn members(asked: Asked) -> Result<Response, No> {
    asked.knows(&[])?;
    asked.answer(&[member(&asked.directory.config().consul)])
}

pub(super) async fn services(asked: Asked) -> Result<Response, No> {
    asked.knows(&[])?;
    let (listed, consul) = (Listed::all(&asked), &asked.directory.config().consul);
    let services = listed.by_id(consul).into_iter().map(|(id, shown)| (id, shown.service()));
    asked.answer(&services.collect::<BTreeMap<String, Service<'_>>>())
}

pub(super) async fn service(asked: Asked) -> Result<Response, No> {
    asked.knows(&[])?;
    let (listed, consul) = (Listed::named(&asked)?, &asked.directory.config().consul);
    asked.answer(&listed.shown(consul).next().map(|shown| shown.service()))
}

pub(super) async fn checks(asked: Asked) -> Result<Response, No> {
    asked.knows(&[])?;
    let (listed, consul) = (Listed::all(&asked), &asked.directory.config().consul);
    let mut checks = BTreeMap::new();
    for (key, shown) in listed.by_id(consul) {
        for check in shown.checks() {
            // Those of an instance that is called otherwise here are called so too.
            let id = &shown.row.listed.instance.id;
            let name = if key == id.as_str() { check.id.to_string() } else { check.id.replace(id.as_str(), &key) };
            checks.insert(name, check);
        }
    }
    asked.answer(&checks)
}

/// A service, and whether it can be called.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Aggregated<'a> {
    aggregated_status: &'static str,
    service: Service<'a>,
    checks: Vec<Check<'a>>,
}

impl<'a> Aggregated<'a> {
    fn new(shown: Shown<'a>) -> Self {
        Self { aggregated_status: shown.status().word(), service: shown.service(), checks: shown.checks() }
    }
}

pub(super) async fn health_by_id(asked: Asked) -> Result<Response, No> {
    asked.knows(&["format"])?;
    let (listed, consul) = (Listed::named(&asked)?, &asked.directory.config().consul);
    let worst = listed.shown(consul).map(|shown| shown.status()).max().unwrap_or(Status::Critical);
    rated(&asked, worst, &listed.shown(consul).map(Aggregated::new).next())
}

pub(super) async fn health_by_name(asked: Asked) -> Result<Response, No> {
    asked.knows(&["format"])?;
    let (listed, consul) = (Listed::of(&asked.directory, asked.service()?), &asked.directory.config().consul);
    let worst = listed.shown(consul).map(|shown| shown.status()).max();
    let worst = worst.ok_or_else(|| No::not_found(format!("ServiceName {} Not Found", asked.about)))?;
    rated(&asked, worst, &listed.shown(consul).map(Aggregated::new).collect::<Vec<_>>())
}

/// An answer whose status says how it is.
fn rated(asked: &Asked, worst: Status, value: &impl Serialize) -> Result<Response, No> {
    let status = match worst {
        Status::Passing => StatusCode::OK,
        Status::Warning => StatusCode::TOO_MANY_REQUESTS,
        Status::Critical => StatusCode::SERVICE_UNAVAILABLE,
    };
    match asked.text("format") {
        None | Some("" | "json") => Ok((status, asked.answer(value)?).into_response()),
        Some("text") => Ok((status, worst.word()).into_response()),
        Some(_) => Err(No::bad("format may be json or text")),
    }
}
