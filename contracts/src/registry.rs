//! The registry's protocol: who is there, kept true by leases, told to whoever watches.
//!
//! Plain calls are [`Register`], [`Beat`], [`Deregister`], [`List`] and [`Services`]. Two more are streams
//! of JSON lines: [`HOLD`] registers for as long as its connection stands, answering with [`HoldFrame`]s;
//! [`WATCH`] tells a service's instances and every change, as [`WatchFrame`]s.
//!
//! | Time | Default | Meaning |
//! |---|---|---|
//! | [`BEAT_EVERY`] | 5 s | how often an instance says that it is there |
//! | [`SILENT_AFTER`] | 15 s | without a beat, up becomes silent |
//! | [`GONE_AFTER`] | 90 s | after that, silent becomes gone |

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use http::Method;
use serde::{Deserialize, Serialize};

use crate::{Address, Call, Service};

/// How often an instance says that it is there.
pub const BEAT_EVERY: Duration = Duration::from_secs(5);
/// Without a beat for this long, an instance is [`Presence::Silent`].
pub const SILENT_AFTER: Duration = Duration::from_secs(15);
/// Silent for this long, an instance is [`Presence::Gone`]. It outlasts a retest delay of 30 s.
pub const GONE_AFTER: Duration = Duration::from_secs(90);
/// How often the registry speaks on a [`WATCH`] or [`HOLD`] stream that has nothing to tell.
pub const BOOKMARK_EVERY: Duration = Duration::from_secs(5);

/// `GET`: a stream of [`WatchFrame`]s, one JSON object a line.
pub const WATCH: &str = "/v1/services/{service}/watch";
/// `POST` of a [`Register`]: a stream of [`HoldFrame`]s, one JSON object a line. The instance is gone the
/// moment the connection is.
pub const HOLD: &str = "/v1/services/{service}/instances/{id}/hold";

/// The registry as a service that is called.
#[derive(Debug)]
pub struct Registry;

impl Service for Registry {
    const NAME: &'static str = "registry";
}

/// The name of one instance, unique within its service: 1 to 128 of `A-Z a-z 0-9 . _ -`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct InstanceId(Arc<str>);

impl InstanceId {
    /// The text of it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for InstanceId {
    type Err = BadName;

    fn from_str(text: &str) -> Result<Self, BadName> {
        let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
        if (1..=128).contains(&text.len()) && text.chars().all(fits) {
            Ok(Self(text.into()))
        } else {
            Err(BadName::new("instance id", text, "1 to 128 of A-Z a-z 0-9 . _ -"))
        }
    }
}

impl TryFrom<String> for InstanceId {
    type Error = BadName;

    fn try_from(text: String) -> Result<Self, BadName> {
        text.parse()
    }
}

impl From<InstanceId> for String {
    fn from(id: InstanceId) -> Self {
        id.as_str().to_owned()
    }
}

impl fmt::Display for InstanceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Checks a service's name: 1 to 63 of `a-z`, `0-9` and `-`, starting with a letter.
///
/// # Errors
/// Says which name, and what names look like.
pub fn check_service_name(name: &str) -> Result<(), BadName> {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let starts = name.starts_with(|c: char| c.is_ascii_lowercase());
    if starts && name.len() <= 63 && name.chars().all(fits) {
        Ok(())
    } else {
        Err(BadName::new("service name", name, "1 to 63 of a-z 0-9 -, starting with a letter"))
    }
}

/// A name does not look as it must.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadName {
    what: &'static str,
    text: String,
    rule: &'static str,
}

impl BadName {
    fn new(what: &'static str, text: &str, rule: &'static str) -> Self {
        Self { what, text: text.chars().take(140).collect(), rule }
    }
}

impl fmt::Display for BadName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {:?} is not {}", self.what, self.text, self.rule)
    }
}

impl Error for BadName {}

/// One running copy of a service, as everybody sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Instance {
    /// Its name.
    pub id: InstanceId,
    /// Its own number, the same across restarts: what people call it by.
    pub number: u32,
    /// Where it is reached.
    pub address: Address,
    /// Where it stands, if that matters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
    /// What share of the calls it asks for, beside instances of weight 1. Told to everybody; round robin does not
    /// look at it.
    #[serde(default = "one")]
    pub weight: u16,
    /// What version it runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Whatever else it says of itself.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: BTreeMap<String, String>,
    /// Grows with every start of its process, so that a restarted one can be told from a returned one.
    pub incarnation: u64,
}

fn one() -> u16 {
    1
}

/// What the registry thinks of an instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Presence {
    /// It beats.
    Up,
    /// It has not beaten for [`SILENT_AFTER`]; it may yet.
    Silent,
    /// It left, its lease connection closed, or it was silent for [`GONE_AFTER`].
    Gone,
}

/// An instance and what the registry thinks of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listed {
    /// The instance.
    #[serde(flatten)]
    pub instance: Instance,
    /// Up or silent; what is gone is not listed.
    pub presence: Presence,
}

/// Registers an instance, or renews and changes what is registered: `PUT`.
///
/// Whoever registers so must [`Beat`]; what is registered by [`HOLD`] beats too, and is gone with its connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Register {
    /// The service it is an instance of.
    pub service: String,
    /// Its name.
    pub id: InstanceId,
    /// Where it is reached.
    pub address: Address,
    /// Its number; the lowest free one when it does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<u32>,
    /// See [`Instance::zone`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
    /// See [`Instance::weight`]; 1 to 1000.
    #[serde(default = "one")]
    pub weight: u16,
    /// See [`Instance::version`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// See [`Instance::metadata`].
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: BTreeMap<String, String>,
    /// See [`Instance::incarnation`]; the registry makes one up for whoever does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incarnation: Option<u64>,
}

impl Call for Register {
    type Service = Registry;
    type Response = Registered;
    const METHOD: Method = Method::PUT;
    const ROUTE: &'static str = "/v1/services/{service}/instances/{id}";
}

/// The answer to [`Register`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Registered {
    /// Which life of the registry this is; revisions of different epochs do not compare.
    pub epoch: u64,
    /// The revision from which on the instance is seen.
    pub revision: u64,
    /// The number it has.
    pub number: u32,
    /// The incarnation it has.
    pub incarnation: u64,
    /// How often to beat, in milliseconds.
    pub beat_every_ms: u64,
}

/// Says that an instance is still there: `POST`. 404 means: register again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Beat {
    /// The service it is an instance of.
    pub service: String,
    /// Its name.
    pub id: InstanceId,
    /// Which incarnation beats; 409 when a later one is registered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incarnation: Option<u64>,
}

impl Call for Beat {
    type Service = Registry;
    type Response = Beaten;
    const METHOD: Method = Method::POST;
    const ROUTE: &'static str = "/v1/services/{service}/instances/{id}/beat";
}

/// The answer to [`Beat`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Beaten {
    /// When to beat next, in milliseconds.
    pub beat_every_ms: u64,
}

/// Takes an instance off the list at once: `DELETE`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deregister {
    /// The service it is an instance of.
    pub service: String,
    /// Its name.
    pub id: InstanceId,
    /// Which incarnation leaves; 409 when a later one is registered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incarnation: Option<u64>,
}

impl Call for Deregister {
    type Service = Registry;
    type Response = Deregistered;
    const METHOD: Method = Method::DELETE;
    const ROUTE: &'static str = "/v1/services/{service}/instances/{id}";
}

/// The answer to [`Deregister`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deregistered {
    /// The revision from which on the instance is not seen.
    pub revision: u64,
}

/// Who is there now? A service nobody registered for is an empty list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct List {
    /// The service.
    pub service: String,
}

impl Call for List {
    type Service = Registry;
    type Response = Listing;
    const METHOD: Method = Method::GET;
    const ROUTE: &'static str = "/v1/services/{service}";
}

/// All instances of a service at one revision, by number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listing {
    /// The service.
    pub service: String,
    /// Which life of the registry this is.
    pub epoch: u64,
    /// The service's last change.
    pub revision: u64,
    /// Who is there.
    pub instances: Vec<Listed>,
}

/// Which services are there?
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Services {}

impl Call for Services {
    type Service = Registry;
    type Response = ServiceNames;
    const METHOD: Method = Method::GET;
    const ROUTE: &'static str = "/v1/services";
}

/// The answer to [`Services`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceNames {
    /// Which life of the registry this is.
    pub epoch: u64,
    /// Name and number of listed instances.
    pub services: BTreeMap<String, usize>,
}

/// One line of a [`WATCH`] stream. The first is a snapshot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum WatchFrame {
    /// All there is.
    Snapshot(Listing),
    /// An instance came, or something about it changed.
    Changed {
        /// The revision after it.
        revision: u64,
        /// The instance as it is now.
        #[serde(flatten)]
        listed: Listed,
    },
    /// An instance is gone.
    Gone {
        /// The revision after it.
        revision: u64,
        /// Which one.
        id: InstanceId,
        /// Why it is not listed any more.
        why: GoneReason,
    },
    /// Nothing new; the registry is there. Sent every [`BOOKMARK_EVERY`].
    Bookmark {
        /// The service's last change.
        revision: u64,
    },
    /// Something a later registry tells, for later clients.
    #[serde(other)]
    Unknown,
}

/// Why an instance is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GoneReason {
    /// It said good-bye.
    Left,
    /// Its lease connection closed: the process ended.
    ConnectionClosed,
    /// It was silent for [`GONE_AFTER`].
    Silent,
    /// A reason that only later clients know.
    #[serde(other)]
    Unknown,
}

/// One line of a [`HOLD`] stream. The first is `held`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum HoldFrame {
    /// The instance is registered, for as long as this connection stands.
    Held(Registered),
    /// The registry is there. Sent every [`BOOKMARK_EVERY`].
    Bookmark,
    /// A later incarnation has taken this instance's place and the stream ends. Whoever tries again, in case
    /// the later one leaves, waits long before: the SDK half a minute.
    Superseded {
        /// The later incarnation.
        incarnation: u64,
    },
    /// Something a later registry tells, for later instances.
    #[serde(other)]
    Unknown,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_do_not_fit_are_refused() {
        assert!(check_service_name("ratings-2").is_ok());
        for wrong in ["", "2ratings", "Ratings", "a_b", "ä", "a/b", &"a".repeat(64)] {
            assert!(check_service_name(wrong).is_err(), "{wrong:?}");
        }
        assert!("ratings-1.local_A".parse::<InstanceId>().is_ok());
        for wrong in ["", "a b", "a/b", "ü", &"a".repeat(129)] {
            assert!(wrong.parse::<InstanceId>().is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn frames_are_flat_json_lines() {
        let json = r#"{"type":"changed","revision":7,"id":"ratings-1","number":1,"address":"http://127.0.0.1:8001","weight":1,"incarnation":9,"presence":"up"}"#;
        let frame: WatchFrame = serde_json::from_str(json).unwrap();
        assert_eq!(serde_json::to_string(&frame).unwrap(), json);
    }
}
