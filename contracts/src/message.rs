//! What is told on a topic, and the envelope it travels in.

use std::error::Error;
use std::fmt;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// The longest body of a message, in bytes.
pub const BODY_LIMIT: usize = 1024 * 1024;
/// The longest name, id or correlation, in bytes.
pub const NAME_LIMIT: usize = 128;

/// What is told on a topic: one type for one topic, so that whoever publishes and whoever consumes cannot drift apart.
///
/// ```
/// use mainstay_contracts::Message;
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Debug, Serialize, Deserialize)]
/// struct Reading { values: [u32; 3] }
///
/// impl Message for Reading {
///     const TOPIC: &'static str = "sensor_values";
/// }
/// ```
pub trait Message: Serialize + DeserializeOwned + Send + Sync + 'static {
    /// The topic's name: letters, digits, `-` and `_`.
    const TOPIC: &'static str;
}

/// A message on its way: its body, and what has to be known of it without reading it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Envelope {
    /// Published again under the same id, a message is still one message.
    pub id: String,
    /// What it is about.
    pub topic: String,
    /// The one channel that gets it, in place of a copy for every channel.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// Of which request this is the reply.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub correlation: Option<String>,
    /// The channel that a reply is to be sent to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<String>,
    /// The message, as JSON.
    pub body: Box<RawValue>,
}

impl Envelope {
    /// Puts a message under an id into an envelope, for every channel of its topic.
    ///
    /// # Errors
    /// When the message cannot be written as JSON.
    pub fn new<M: Message>(id: impl Into<String>, message: &M) -> Result<Self, BadMessage> {
        let body = serde_json::value::to_raw_value(message).map_err(|error| BadMessage(error.to_string()))?;
        let topic = M::TOPIC.to_owned();
        Ok(Self { id: id.into(), topic, to: None, correlation: None, reply_to: None, body })
    }

    /// For one channel only.
    #[must_use]
    pub fn only_to(self, channel: impl Into<String>) -> Self {
        Self { to: Some(channel.into()), ..self }
    }

    /// Says of which request it is the reply.
    #[must_use]
    pub fn correlated(self, correlation: impl Into<String>) -> Self {
        Self { correlation: Some(correlation.into()), ..self }
    }

    /// Asks for replies to a channel.
    #[must_use]
    pub fn reply_to(self, channel: impl Into<String>) -> Self {
        Self { reply_to: Some(channel.into()), ..self }
    }

    /// The message inside.
    ///
    /// # Errors
    /// When the body is no such message.
    pub fn open<M: Message>(&self) -> Result<M, BadMessage> {
        serde_json::from_str(self.body.get()).map_err(|error| BadMessage(error.to_string()))
    }

    /// Is everything said as it may be?
    ///
    /// # Errors
    /// When a name or id is empty, too long or has a character that it may not have, or the body is too long.
    pub fn check(&self) -> Result<(), BadMessage> {
        check_name("topic", &self.topic)?;
        self.to.iter().try_for_each(|name| check_name("channel", name))?;
        self.reply_to.iter().try_for_each(|name| check_name("channel to reply to", name))?;
        check_text("id", &self.id)?;
        self.correlation.iter().try_for_each(|text| check_text("correlation", text))?;
        match self.body.get().len() {
            0..=BODY_LIMIT => Ok(()),
            long => Err(BadMessage(format!("a body of {long} bytes is longer than {BODY_LIMIT}"))),
        }
    }
}

/// A name of a topic or channel.
///
/// # Errors
/// Unless it has 1 to [`NAME_LIMIT`] letters, digits, `-` and `_`.
pub fn check_name(what: &str, name: &str) -> Result<(), BadMessage> {
    check_text(what, name)?;
    match name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')) {
        true => Ok(()),
        false => Err(BadMessage(format!("a {what} has letters, digits, - and _, not {name:?}"))),
    }
}

fn check_text(what: &str, text: &str) -> Result<(), BadMessage> {
    match text.len() {
        0 => Err(BadMessage(format!("the {what} is empty"))),
        1..=NAME_LIMIT if text.bytes().all(|byte| byte.is_ascii_graphic()) => Ok(()),
        1..=NAME_LIMIT => Err(BadMessage(format!("the {what} has a character that is not printable ASCII: {text:?}"))),
        long => Err(BadMessage(format!("the {what} has {long} bytes, more than {NAME_LIMIT}"))),
    }
}

/// A message that cannot be sent or read; says why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadMessage(String);

impl fmt::Display for BadMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for BadMessage {}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Reading {
        values: [u32; 3],
    }
    impl Message for Reading {
        const TOPIC: &'static str = "sensor_values";
    }

    #[test]
    fn a_message_comes_out_as_it_went_in() {
        let reading = Reading { values: [1, 2, u32::MAX] };
        let sent = Envelope::new("7", &reading).unwrap().correlated("request-7").reply_to("app");
        let read: Envelope = serde_json::from_str(&serde_json::to_string(&sent).unwrap()).unwrap();
        assert_eq!(read.open::<Reading>(), Ok(reading));
        assert_eq!((read.correlation.as_deref(), read.reply_to.as_deref()), (Some("request-7"), Some("app")));
        assert_eq!((read.topic.as_str(), read.check()), ("sensor_values", Ok(())));
    }

    #[test]
    fn what_is_wrong_with_an_envelope_is_said() {
        let good = Envelope::new("7", &Reading { values: [0; 3] }).unwrap();
        let long = "x".repeat(NAME_LIMIT + 1);
        for (bad, why) in [
            (Envelope { id: String::new(), ..good.clone() }, "the id is empty"),
            (Envelope { id: long.clone(), ..good.clone() }, "more than 128"),
            (Envelope { topic: "a b".to_owned(), ..good.clone() }, "printable"),
            (Envelope { topic: "a.b".to_owned(), ..good.clone() }, "letters, digits"),
            (good.clone().only_to("ü"), "printable"),
            (good.clone().reply_to(""), "channel to reply to is empty"),
            (good.clone().correlated(long), "more than 128"),
            (
                Envelope { body: RawValue::from_string(format!("\"{}\"", "x".repeat(BODY_LIMIT))).unwrap(), ..good },
                "longer than 1048576",
            ),
        ] {
            let said = bad.check().unwrap_err().to_string();
            assert!(said.contains(why), "{said}");
        }
    }
}
