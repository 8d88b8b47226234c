//! What can be called, and how everything is.

use axum::response::Response;

use super::answer::No;
use super::asked::Asked;
use super::catalog::has_tags;
use super::node::{Node, serf_health};
use super::service::Listed;
use super::shown::{Check, Healthy, Shown};
use crate::roster::Status;

pub(super) async fn service(asked: Asked) -> Result<Response, No> {
    let name = asked.service()?;
    let passing = asked.flag("passing")?;
    asked.follows(&["passing", "tag"], Some(name)).await?;
    let (listed, consul) = (Listed::of(&asked.directory, name), &asked.directory.config().consul);
    let is_wanted = |shown: &Shown<'_>| has_tags(&asked, shown) && (!passing || shown.status() == Status::Passing);
    let shown = listed.shown(consul).filter(is_wanted).map(|shown| {
        let mut checks = vec![serf_health(consul)];
        checks.extend(shown.checks());
        Healthy { node: Node::new(consul), service: shown.service(), checks }
    });
    asked.answer_at(listed.revision, &shown.collect::<Vec<_>>())
}

pub(super) async fn checks(asked: Asked) -> Result<Response, No> {
    let name = asked.service()?;
    asked.follows(&[], Some(name)).await?;
    let (listed, consul) = (Listed::of(&asked.directory, name), &asked.directory.config().consul);
    let checks = listed.shown(consul).flat_map(|shown| shown.checks());
    asked.answer_at(listed.revision, &checks.collect::<Vec<_>>())
}

pub(super) async fn state(asked: Asked) -> Result<Response, No> {
    let wanted = asked.about.as_str();
    if !["any", "passing", "warning", "critical"].contains(&wanted) {
        return Err(No::bad("a state is any, passing, warning or critical"));
    }
    asked.follows(&[], None).await?;
    let listed = Listed::all(&asked);
    let checks = all_checks(&asked, &listed).filter(|check| wanted == "any" || check.status == wanted);
    asked.answer_at(listed.revision, &checks.collect::<Vec<_>>())
}

pub(super) async fn node(asked: Asked) -> Result<Response, No> {
    asked.follows(&[], None).await?;
    let listed = Listed::all(&asked);
    let is_here = asked.about == asked.directory.config().consul.node;
    let checks = all_checks(&asked, &listed).filter(|_| is_here);
    asked.answer_at(listed.revision, &checks.collect::<Vec<_>>())
}

fn all_checks<'a>(asked: &'a Asked, listed: &'a Listed) -> impl Iterator<Item = Check<'a>> {
    let consul = &asked.directory.config().consul;
    std::iter::once(serf_health(consul)).chain(listed.shown(consul).flat_map(|shown| shown.checks()))
}

pub(super) async fn refuse_connect(_: Asked) -> No {
    No::bad("there is no Connect here, and there are no proxies")
}
