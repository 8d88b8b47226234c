//! `/v1/session`.

use std::sync::Arc;

use axum::body::Body;
use axum::response::Response;
use serde::Serialize;
use serde_json::json;
use uuid::Uuid;

use super::terms;
use crate::consul::{Asked, No, duration, index, short};
use crate::kv::board::{Seen, Subject};
use crate::kv::{Behavior, Session};
use crate::roster::Kind;

/// A session as it is told.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Told<'a> {
    #[serde(rename = "ID")]
    id: &'a str,
    name: &'a str,
    node: &'a str,
    /// In nanoseconds.
    lock_delay: u64,
    behavior: Behavior,
    /// Empty if there is none.
    #[serde(rename = "TTL")]
    ttl: String,
    /// None, whatever was asked for: none of them would end the session.
    node_checks: [&'a str; 0],
    service_checks: [&'a str; 0],
    create_index: u64,
    modify_index: u64,
}

impl<'a> From<&'a Session> for Told<'a> {
    fn from(session: &'a Session) -> Self {
        let Session { id, terms, created, .. } = session;
        Self {
            id,
            name: &terms.name,
            node: &terms.node,
            lock_delay: u64::try_from(terms.lock_delay.as_nanos()).unwrap_or(u64::MAX),
            behavior: terms.behavior,
            ttl: terms.ttl.map(duration::text).unwrap_or_default(),
            node_checks: [],
            service_checks: [],
            create_index: index(*created),
            modify_index: index(*created),
        }
    }
}

pub(super) async fn create(asked: Asked, body: Body) -> Result<Response, No> {
    asked.knows(&[])?;
    let terms = terms::read(&asked.body(body).await?, &asked.directory.config().consul.node)?;
    let id: Arc<str> = Uuid::new_v4().to_string().into();
    let opened = asked.directory.change(move |state, now| state.with_kv(now, |kv, at| kv.open(id, terms, at)));
    asked.answer(&json!({ "ID": &*opened.await?.id }))
}

pub(super) async fn destroy(asked: Asked) -> Result<Response, No> {
    asked.knows(&[])?;
    let id = asked.about.clone();
    let ended = asked.directory.change(move |state, now| {
        state.with_kv(now, |kv, at| kv.end(&id, at));
        Ok(true)
    });
    asked.answer(&ended.await?)
}

pub(super) async fn renew(asked: Asked) -> Result<Response, No> {
    asked.knows(&[])?;
    let (directory, id) = (&asked.directory, &asked.about);
    let gone = || No::not_found(format!("session {:?} is not there", short(id)));
    let session = directory.board().session(id).ok_or_else(gone)?;
    if !session.renew(directory.now()) {
        let id = Arc::clone(&session.id);
        let renewed = directory.change(move |state, now| state.kv.renew(&id, now)).await;
        renewed.map_err(|refused| if refused.kind == Kind::Unknown { gone() } else { refused.into() })?;
    }
    asked.answer(&[Told::from(&*session)])
}

pub(super) async fn info(asked: Asked) -> Result<Response, No> {
    sessions(&asked, |session| *session.id == *asked.about).await
}

pub(super) async fn list(asked: Asked) -> Result<Response, No> {
    sessions(&asked, |_| true).await
}

pub(super) async fn of_node(asked: Asked) -> Result<Response, No> {
    sessions(&asked, |session| session.terms.node == asked.about).await
}

/// Those that fit; there may be none.
async fn sessions(asked: &Asked, fits: impl Fn(&Session) -> bool) -> Result<Response, No> {
    asked.until_newer(asked.waits(&[])?, Subject::Sessions).await?;
    let Seen { revision, what } = asked.directory.board().sessions();
    let told: Vec<_> = what.iter().filter(|session| fits(session)).map(|session| Told::from(&**session)).collect();
    asked.answer_at(revision, &told)
}
