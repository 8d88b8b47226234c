//! An envelope as a NATS message: its body is the payload, and the rest is headers, so that `nats pub` can publish one
//! and `nats sub` read it.

use async_nats::{HeaderMap, Request};
use mainstay::contracts::Envelope;
use serde_json::value::{RawValue, to_raw_value};

use super::names::only_to;

/// By this JetStream knows a message again.
const MESSAGE_ID: &str = "Nats-Msg-Id";
/// The id, where JetStream knows the message by another one.
const ID: &str = "Mainstay-Id";
const CORRELATION: &str = "Mainstay-Correlation";
const REPLY_TO: &str = "Mainstay-Reply-To";

pub(super) fn write(envelope: Envelope) -> Request {
    let Envelope { id, correlation, reply_to, body, .. } = envelope;
    let mut headers = HeaderMap::new();
    headers.insert(MESSAGE_ID, id);
    if let Some(correlation) = correlation {
        headers.insert(CORRELATION, correlation);
    }
    if let Some(reply_to) = reply_to {
        headers.insert(REPLY_TO, reply_to);
    }
    Request::new().headers(headers).payload(String::from(Box::<str>::from(body)).into())
}

/// The headers of a dead letter: it is one, however often it is written. What others told JetStream about the message
/// was about its first place.
pub(super) fn headers_of_dead(headers: &HeaderMap, id: String, letter: String) -> HeaderMap {
    let mut dead = HeaderMap::new();
    for (name, values) in headers.iter().filter(|(name, _)| !name.to_string().starts_with("Nats-")) {
        values.iter().for_each(|value| dead.append(name.clone(), value.clone()));
    }
    dead.insert(ID, id);
    dead.insert(MESSAGE_ID, letter);
    dead
}

/// Reads what anybody may have published on such a subject.
pub(super) fn read(topic: &str, subject: &str, headers: Option<&HeaderMap>, payload: &[u8], number: u64) -> Envelope {
    let get = |name| headers.and_then(|headers| headers.get(name)).map(|value| value.as_str().to_owned());
    Envelope {
        id: id(topic, headers, number),
        topic: topic.to_owned(),
        to: only_to(subject).map(str::to_owned),
        correlation: get(CORRELATION),
        reply_to: get(REPLY_TO),
        body: serde_json::from_slice(payload).unwrap_or_else(|_| as_text(payload)),
    }
}

/// Under what a message was published, if somebody has said it.
pub(super) fn id(topic: &str, headers: Option<&HeaderMap>, number: u64) -> String {
    let said = headers.and_then(|headers| headers.get(ID).or_else(|| headers.get(MESSAGE_ID)));
    said.map_or_else(|| format!("{topic}-{number}"), |id| id.as_str().to_owned())
}

/// What is not JSON is of no type, and finds its way to the dead letters as a text.
fn as_text(payload: &[u8]) -> Box<RawValue> {
    to_raw_value(&String::from_utf8_lossy(payload)).unwrap_or_else(|_| RawValue::NULL.to_owned())
}
