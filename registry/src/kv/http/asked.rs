//! The parameters of a request: known, or refused.

use std::time::Duration;

use super::answer::Plain;
use super::span;
use crate::consul::index;
use crate::http::Denied;
use crate::kv::board::{Board, Subject};

/// The one data centre there is, under the name that Consul gives its own.
const DATACENTER: &str = "dc1";
/// How long who names an index waits, and how long at most.
const WAIT: Duration = Duration::from_secs(5 * 60);
const LONGEST_WAIT: Duration = Duration::from_secs(10 * 60);
/// What every call may be asked with. All that is read here is as `consistent` as it gets, also when it is `stale` enough.
const ALWAYS: [&str; 5] = ["dc", "stale", "consistent", "pretty", "token"];
/// What makes a call wait.
pub(super) const BLOCKING: [&str; 2] = ["index", "wait"];

#[derive(Debug)]
pub(super) struct Asked {
    parameters: Vec<(String, String)>,
    pretty: bool,
}

impl Asked {
    /// The parameters of a query, each of which is one that every call may have, or one of these.
    pub(super) fn new(query: Option<&str>, allowed: &[&str]) -> Result<Self, Plain> {
        let parameters: Vec<(String, String)> =
            form_urlencoded::parse(query.unwrap_or_default().as_bytes()).into_owned().collect();
        for (at, (name, value)) in parameters.iter().enumerate() {
            let shown: String = name.chars().take(40).collect();
            if !ALWAYS.contains(&name.as_str()) && !allowed.contains(&name.as_str()) {
                return Err(Plain::bad(format!("parameter {shown:?} is not supported here")));
            }
            if parameters[..at].iter().any(|(other, _)| other == name) {
                return Err(Plain::bad(format!("parameter {shown:?} is there twice")));
            }
            if name == "dc" && !value.is_empty() && value != DATACENTER {
                return Err(Plain::bad(format!("parameter \"dc\" may only be {DATACENTER}, the one there is")));
            }
        }
        let mut asked = Self { parameters, pretty: false };
        asked.pretty = asked.flag("pretty")?;
        asked.either(&["stale", "consistent"])?;
        for flag in ["stale", "consistent"] {
            asked.flag(flag)?;
        }
        Ok(asked)
    }

    pub(super) fn pretty(&self) -> bool {
        self.pretty
    }

    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }

    /// A parameter that is there or not, whatever it says as long as that is yes.
    pub(super) fn flag(&self, name: &str) -> Result<bool, Plain> {
        match self.text(name) {
            None => Ok(false),
            Some(value) if ["", "1", "true"].iter().any(|yes| value.eq_ignore_ascii_case(yes)) => Ok(true),
            Some(_) => Err(Plain::bad(format!("parameter {name:?} is a flag: leave it out, or say 1 or true"))),
        }
    }

    pub(super) fn number(&self, name: &str) -> Result<Option<u64>, Plain> {
        let number = |value: &str| value.parse().map_err(|_| Plain::bad(format!("parameter {name:?} is no number")));
        self.text(name).map(number).transpose()
    }

    /// Refuses more than one of these.
    pub(super) fn either(&self, names: &[&str]) -> Result<(), Plain> {
        let there: Vec<&str> = names.iter().copied().filter(|name| self.text(name).is_some()).collect();
        match there[..] {
            [one, other, ..] => Err(Plain::bad(format!("parameters {one:?} and {other:?} exclude each other"))),
            _ => Ok(()),
        }
    }

    /// Waits for what has been asked for to be newer than the index that was named, if one was.
    pub(super) async fn wait(&self, board: &Board, subject: &Subject) -> Result<(), Plain> {
        let wait = match self.text("wait").filter(|text| !text.is_empty()) {
            None => Duration::ZERO,
            Some(text) => span::parse(text)
                .ok_or_else(|| Plain::bad("parameter \"wait\" is no length of time, such as 10s or 5m"))?,
        };
        let wait = if wait.is_zero() { WAIT } else { wait.min(LONGEST_WAIT) };
        match self.number("index")?.and_then(|seen| seen.checked_sub(index(0))) {
            None => Ok(()),
            Some(revision) => Ok(board.wait(subject, revision, wait).await?),
        }
    }
}

/// The one parameter of a path, decoded.
pub(super) fn in_path(params: Result<axum::extract::RawPathParams, impl ToString>) -> Result<String, Plain> {
    let params = params.map_err(|error| Denied::bad(&error))?;
    Ok(params.iter().next().map(|(_, value)| value.to_owned()).unwrap_or_default())
}
