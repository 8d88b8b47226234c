//! A request: what it is about, and its parameters, each of which is understood or refused.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{FromRequestParts, RawPathParams};
use axum::response::Response;
use bytes::Bytes;
use http::StatusCode;
use http::request::Parts;
use mainstay_contracts::registry::{InstanceId, check_service_name};
use serde::Serialize;

use super::answer::{self, No, index};
use super::duration;
use crate::Rights;
use crate::directory::{Directory, Named};
use crate::http::{Denied, body};

/// What everything may be asked with. All that is read here is as `consistent` as it gets.
const ALWAYS: [&str; 5] = ["dc", "stale", "consistent", "pretty", "token"];
/// What makes an answer wait.
const BLOCKING: [&str; 2] = ["index", "wait"];
/// How long who names an index waits, and how long at most.
const WAIT: Duration = Duration::from_secs(5 * 60);
const LONGEST_WAIT: Duration = Duration::from_secs(10 * 60);

/// A request, but for its body.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) directory: Arc<Directory>,
    /// What its path is about, or nothing.
    pub(crate) about: String,
    /// What whoever asks may read and change.
    pub(super) rights: Rights,
    parameters: Vec<(String, String)>,
    pretty: bool,
}

impl FromRequestParts<Arc<Directory>> for Asked {
    type Rejection = No;

    async fn from_request_parts(parts: &mut Parts, directory: &Arc<Directory>) -> Result<Self, No> {
        let params = RawPathParams::from_request_parts(parts, &()).await.map_err(|error| Denied::bad(&error))?;
        let about = params.iter().next().map(|(_, value)| value.to_owned()).unwrap_or_default();
        // Whoever lets requests through leaves it behind.
        let rights = parts.extensions.remove::<Rights>().unwrap_or_default();
        let query = parts.uri.query().unwrap_or_default();
        let parameters = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        let mut asked = Self { directory: Arc::clone(directory), about, rights, parameters, pretty: false };
        asked.pretty = asked.flag("pretty")?;
        if asked.flag("stale")? && asked.flag("consistent")? {
            return Err(No::bad("Cannot specify ?stale with ?consistent, conflicting semantics."));
        }
        let here = &directory.config().consul.datacenter;
        if asked.text("dc").is_some_and(|dc| !dc.is_empty() && dc != here) {
            return Err(No::new(StatusCode::INTERNAL_SERVER_ERROR, "No path to datacenter"));
        }
        Ok(asked)
    }
}

impl Asked {
    /// The body, which is not read before it is known that it is wanted.
    pub(crate) async fn body(&self, body: Body) -> Result<Bytes, No> {
        let limits = &self.directory.config().limits;
        Ok(self::body(body, limits.body, limits.body_time).await?)
    }

    /// Refuses every parameter but these, and those that everything may be asked with.
    pub(crate) fn knows(&self, names: &[&str]) -> Result<(), No> {
        for (at, (name, _)) in self.parameters.iter().enumerate() {
            let shown: String = name.chars().take(60).collect();
            if !ALWAYS.contains(&name.as_str()) && !names.contains(&name.as_str()) {
                return Err(No::bad(format!("query parameter {shown:?} is not supported here")));
            }
            if name != "tag" && self.parameters[..at].iter().any(|(other, _)| other == name) {
                return Err(No::bad(format!("query parameter {shown:?} is there twice")));
            }
        }
        Ok(())
    }

    /// As [`knows`](Self::knows); then, if an index is named, waits until the service, or anything if none is named, has
    /// a later one.
    pub(super) async fn follows(&self, names: &[&str], service: Option<&str>) -> Result<(), No> {
        if let Some((revision, wait)) = self.waits(names)? {
            self.directory.follow(service, revision, wait).await?;
        }
        Ok(())
    }

    /// As [`knows`](Self::knows), and says which revision has been seen and how long to wait for a later one, if one is to
    /// be waited for.
    pub(crate) fn waits(&self, names: &[&str]) -> Result<Option<(u64, Duration)>, No> {
        self.knows(&[names, &BLOCKING].concat())?;
        let wait = match self.text("wait").filter(|text| !text.is_empty()).map(|text| (text, duration::parse(text))) {
            None => WAIT,
            Some((_, Some(Duration::ZERO))) => WAIT,
            Some((_, Some(wait))) => wait.min(LONGEST_WAIT),
            Some((text, None)) => return Err(No::bad(format!("Invalid wait time: {:?}", short(text)))),
        };
        let seen = match self.text("index").filter(|text| !text.is_empty()) {
            None => 0,
            Some(text) => text.parse::<u64>().map_err(|_| No::bad(format!("Invalid index: {:?}", short(text))))?,
        };
        Ok(seen.checked_sub(index(0)).map(|revision| (revision, wait)))
    }

    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.all(name).next()
    }

    pub(super) fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.parameters.iter().filter(move |(other, _)| other == name).map(|(_, value)| value.as_str())
    }

    /// A parameter that is there or not, and may say yes or no.
    pub(crate) fn flag(&self, name: &str) -> Result<bool, No> {
        match self.text(name) {
            None | Some("0" | "f" | "F" | "false" | "False" | "FALSE") => Ok(false),
            Some("" | "1" | "t" | "T" | "true" | "True" | "TRUE") => Ok(true),
            Some(other) => Err(No::bad(format!("Invalid value for ?{name}: {:?}", short(other)))),
        }
    }

    /// The service that the path names.
    pub(super) fn service(&self) -> Result<&str, No> {
        check_service_name(&self.about).map_err(|error| No::bad(error.to_string()))?;
        Ok(&self.about)
    }

    /// The instance that the path names.
    pub(super) fn instance(&self) -> Result<Named, No> {
        let (service, id) = match self.about.split_once('/') {
            Some((service, id)) => (Some(service.to_owned()), id),
            None => (None, self.about.as_str()),
        };
        let id: InstanceId = id.parse().map_err(|error| No::bad(format!("{error}")))?;
        Ok(Named { service, id })
    }

    pub(crate) fn answer(&self, value: &impl Serialize) -> Result<Response, No> {
        answer::json(value, self.pretty)
    }

    /// An answer as of a revision.
    pub(crate) fn answer_at(&self, revision: u64, value: &impl Serialize) -> Result<Response, No> {
        Ok(answer::at(revision, self.answer(value)?))
    }
}

pub(crate) fn short(text: &str) -> String {
    text.chars().take(60).collect()
}
