//! `/v1/session`.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::rejection::RawPathParamsRejection;
use axum::extract::{RawPathParams, RawQuery, State};
use axum::response::Response;
use http::StatusCode;
use serde::Serialize;
use serde_json::json;
use uuid::Uuid;

use super::answer::{self, Plain};
use super::asked::{Asked, BLOCKING, in_path};
use super::{span, terms};
use crate::consul::index;
use crate::directory::Directory;
use crate::http::body;
use crate::kv::board::{Seen, Subject};
use crate::kv::{Behavior, Session};
use crate::roster::Kind;

type Path = Result<RawPathParams, RawPathParamsRejection>;

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
            ttl: terms.ttl.map(span::text).unwrap_or_default(),
            node_checks: [],
            service_checks: [],
            create_index: index(*created),
            modify_index: index(*created),
        }
    }
}

pub(super) async fn create(
    State(directory): State<Arc<Directory>>,
    RawQuery(query): RawQuery,
    terms: Body,
) -> Result<Response, Plain> {
    let asked = Asked::new(query.as_deref(), &[])?;
    let limits = &directory.config().limits;
    let terms = terms::read(&body(terms, limits.body, limits.body_time).await?)?;
    let id: Arc<str> = Uuid::new_v4().to_string().into();
    let opened = directory.change(move |state, now| state.with_kv(now, |kv, at| kv.open(id, terms, at)));
    Ok(answer::json(&json!({ "ID": &*opened.await?.id }), &asked))
}

pub(super) async fn destroy(
    State(directory): State<Arc<Directory>>,
    path: Path,
    RawQuery(query): RawQuery,
) -> Result<Response, Plain> {
    let id = in_path(path)?;
    let asked = Asked::new(query.as_deref(), &[])?;
    let ended = directory.change(move |state, now| {
        state.with_kv(now, |kv, at| kv.end(&id, at));
        Ok(true)
    });
    Ok(answer::json(&ended.await?, &asked))
}

pub(super) async fn renew(
    State(directory): State<Arc<Directory>>,
    path: Path,
    RawQuery(query): RawQuery,
) -> Result<Response, Plain> {
    let id = in_path(path)?;
    let asked = Asked::new(query.as_deref(), &[])?;
    let gone = || Plain::new(StatusCode::NOT_FOUND, format!("session {:?} is not there", shown(&id)));
    let session = directory.board().session(&id).ok_or_else(gone)?;
    if !session.renew(directory.now()) {
        let asked = Arc::clone(&session.id);
        let renewed = directory.change(move |state, now| state.kv.renew(&asked, now)).await;
        renewed.map_err(|refused| if refused.kind == Kind::Unknown { gone() } else { refused.into() })?;
    }
    Ok(answer::json(&[Told::from(&*session)], &asked))
}

pub(super) async fn info(
    State(directory): State<Arc<Directory>>,
    path: Path,
    RawQuery(query): RawQuery,
) -> Result<Response, Plain> {
    let id = in_path(path)?;
    sessions(&directory, query.as_deref(), |session| *session.id == *id).await
}

pub(super) async fn list(
    State(directory): State<Arc<Directory>>,
    RawQuery(query): RawQuery,
) -> Result<Response, Plain> {
    sessions(&directory, query.as_deref(), |_| true).await
}

pub(super) async fn of_node(
    State(directory): State<Arc<Directory>>,
    path: Path,
    RawQuery(query): RawQuery,
) -> Result<Response, Plain> {
    let node = in_path(path)?;
    sessions(&directory, query.as_deref(), |session| session.terms.node == node).await
}

/// Those that fit; there may be none.
async fn sessions(
    directory: &Directory,
    query: Option<&str>,
    fits: impl Fn(&Session) -> bool,
) -> Result<Response, Plain> {
    let asked = Asked::new(query, &BLOCKING)?;
    asked.wait(directory.board(), &Subject::Sessions).await?;
    let Seen { revision, what } = directory.board().sessions();
    let told: Vec<_> = what.iter().filter(|session| fits(session)).map(|session| Told::from(&**session)).collect();
    Ok(answer::at(revision, answer::json(&told, &asked)))
}

fn shown(id: &str) -> String {
    id.chars().take(64).collect()
}
