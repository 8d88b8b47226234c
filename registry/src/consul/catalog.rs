//! What is registered, whether it can be called or not.

use std::collections::{BTreeMap, BTreeSet};

use axum::response::Response;
use serde::Serialize;

use super::answer::No;
use super::asked::Asked;
use super::node::Node;
use super::service::Listed;
use super::shown::{Service, Shown};

pub(super) async fn datacenters(asked: Asked) -> Result<Response, No> {
    asked.knows(&[])?;
    asked.answer(&[&asked.directory.config().consul.datacenter])
}

pub(super) async fn nodes(asked: Asked) -> Result<Response, No> {
    // The one there is does not change; whoever waits for that gets it at the end of the wait, or of any change's.
    asked.follows(&[], None).await?;
    let revision = *asked.directory.views().changes().borrow();
    asked.answer_at(revision, &[Node::new(&asked.directory.config().consul)])
}

/// A node, and all that is on it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Full<'a> {
    node: Node<'a>,
    services: BTreeMap<String, Service<'a>>,
}

pub(super) async fn node(asked: Asked) -> Result<Response, No> {
    asked.follows(&[], None).await?;
    let (listed, consul) = (Listed::all(&asked), &asked.directory.config().consul);
    let full = (asked.about == consul.node).then(|| {
        let services = listed.by_id(consul).into_iter().map(|(id, shown)| (id, shown.service()));
        Full { node: Node::new(consul), services: services.collect() }
    });
    asked.answer_at(listed.revision, &full)
}

pub(super) async fn services(asked: Asked) -> Result<Response, No> {
    asked.follows(&[], None).await?;
    let (listed, consul) = (Listed::all(&asked), &asked.directory.config().consul);
    let mut services: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for shown in listed.shown(consul) {
        let tags = shown.row.listed.instance.tags.iter().map(String::as_str);
        services.entry(shown.service).or_default().extend(tags);
    }
    asked.answer_at(listed.revision, &services)
}

pub(super) async fn service(asked: Asked) -> Result<Response, No> {
    let name = asked.service()?;
    asked.follows(&["tag"], Some(name)).await?;
    let (listed, consul) = (Listed::of(&asked.directory, name), &asked.directory.config().consul);
    let shown = listed.shown(consul).filter(|shown| has_tags(&asked, shown)).map(|shown| shown.on_node());
    asked.answer_at(listed.revision, &shown.collect::<Vec<_>>())
}

/// Has it all the tags that are asked for?
pub(super) fn has_tags(asked: &Asked, shown: &Shown<'_>) -> bool {
    let tags = &shown.row.listed.instance.tags;
    let is_there = |wanted: &str| tags.iter().any(|tag| tag.to_lowercase() == wanted.to_lowercase());
    asked.all("tag").filter(|tag| !tag.is_empty()).all(is_there)
}

pub(super) async fn refuse(_: Asked) -> No {
    No::bad("there is one node, and its services are registered with the agent: see /v1/agent/service/register")
}
