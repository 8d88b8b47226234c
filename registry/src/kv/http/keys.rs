//! `/v1/kv/{key}`.

use std::sync::Arc;

use axum::body::Body;
use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::StatusCode;
use serde::Serialize;

use super::answer;
use crate::consul::{Asked, No, at, index};
use crate::http::body;
use crate::kv::board::{Seen, Subject};
use crate::kv::{Entry, On, Put};
use crate::roster::Kind;

/// How many bytes of values one answer has at most.
const MOST: usize = 8 * 1024 * 1024;

/// A key as it is told.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Told<'a> {
    lock_index: u64,
    key: &'a str,
    flags: u64,
    /// In base64; null if it is empty.
    value: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    session: Option<&'a str>,
    create_index: u64,
    modify_index: u64,
}

impl<'a> Told<'a> {
    fn new(key: &'a str, entry: &'a Entry) -> Self {
        let Entry { value, flags, session, lock_index, created, modified } = entry;
        Self {
            lock_index: *lock_index,
            key,
            flags: *flags,
            value: (!value.is_empty()).then(|| STANDARD.encode(value)),
            session: session.as_deref(),
            create_index: index(*created),
            modify_index: index(*modified),
        }
    }
}

pub(super) async fn get(asked: Asked) -> Result<Response, No> {
    let waits = asked.waits(&["raw", "recurse", "keys", "separator"])?;
    let (key, board) = (asked.about.as_str(), asked.directory.board());
    let (raw, names) = (asked.mark("raw")?, asked.mark("keys")?);
    // To ask for keys is to ask for all below.
    let many = asked.mark("recurse")? || names;
    asked.either(&["raw", "recurse"])?;
    asked.either(&["raw", "keys"])?;
    if asked.text("separator").is_some() && !names {
        return Err(No::bad("parameter \"separator\" goes with \"keys\" only"));
    }
    if many {
        asked.until_newer(waits, Subject::Prefix(key.to_owned())).await?;
        let Seen { revision, what } = board.under(key);
        let answer = match &what[..] {
            [] => answer::absent(),
            there if names => asked.answer(&cut(there, key, asked.text("separator").unwrap_or_default()))?,
            there if there.iter().map(|(_, entry)| entry.value.len()).sum::<usize>() > MOST => {
                return Err(No::bad(format!("there are more than {MOST} bytes below; ask below a longer prefix")));
            }
            there => asked.answer(&there.iter().map(|(key, entry)| Told::new(key, entry)).collect::<Vec<_>>())?,
        };
        return Ok(at(revision, answer));
    }
    named(key)?;
    asked.until_newer(waits, Subject::Key(key.to_owned())).await?;
    let Seen { revision, what } = board.key(key);
    let answer = match what {
        None => answer::absent(),
        Some(entry) if raw => answer::raw(entry.value.clone()),
        Some(entry) => asked.answer(&[Told::new(key, &entry)])?,
    };
    Ok(at(revision, answer))
}

/// Keys up to the first separator behind the prefix, each once.
fn cut<'a>(there: &'a [(Arc<str>, Arc<Entry>)], prefix: &str, separator: &str) -> Vec<&'a str> {
    let mut names: Vec<&str> = there
        .iter()
        .map(|(key, _)| {
            let behind =
                key.get(prefix.len()..).filter(|_| !separator.is_empty()).and_then(|rest| rest.find(separator));
            behind.and_then(|at| key.get(..prefix.len() + at + separator.len())).unwrap_or(key)
        })
        .collect();
    // They are in order, so that equal ones stand together.
    names.dedup();
    names
}

pub(super) async fn put(asked: Asked, value: Body) -> Result<Response, No> {
    asked.knows(&["flags", "cas", "acquire", "release"])?;
    named(&asked.about)?;
    asked.either(&["cas", "acquire", "release"])?;
    let session = |name| asked.text(name).map(Arc::from);
    let on = match (asked.number("cas")?, session("acquire"), session("release")) {
        (Some(seen), ..) => On::Unchanged(seen.checked_sub(index(0))),
        (_, Some(session), _) => On::Acquire(session),
        (.., Some(session)) => On::Release(session),
        _ => On::Always,
    };
    let flags = asked.number("flags")?.unwrap_or_default();
    let limits = &asked.directory.config().limits;
    let value = body(value, limits.kv.value, limits.body_time).await?;
    let (key, put) = (asked.about.clone(), Put { value, flags, on });
    let done = asked.directory.change(move |state, now| state.with_kv(now, |kv, at| kv.put(&key, put, at))).await;
    // Clients of Consul know a session that has ended by this status and how the text begins.
    let done = done.map_err(|refused| match refused.kind {
        Kind::Unknown => No::new(StatusCode::INTERNAL_SERVER_ERROR, refused.reason),
        _ => refused.into(),
    })?;
    asked.answer(&done)
}

pub(super) async fn delete(asked: Asked) -> Result<Response, No> {
    asked.knows(&["recurse", "cas"])?;
    // A revision is at least 1, so that 0 and 1 are no key's index.
    let (many, unchanged) = (asked.mark("recurse")?, asked.number("cas")?.map(|seen| seen.saturating_sub(index(0))));
    asked.either(&["recurse", "cas"])?;
    if !many {
        named(&asked.about)?;
    }
    let key = asked.about.clone();
    let deleted = asked.directory.change(move |state, now| {
        Ok(state.with_kv(now, |kv, at| {
            if many {
                kv.delete_under(&key, at);
                return true;
            }
            kv.delete(&key, unchanged, at)
        }))
    });
    asked.answer(&deleted.await?)
}

fn named(key: &str) -> Result<(), No> {
    if key.is_empty() { Err(No::bad("there is no key in the path")) } else { Ok(()) }
}
