//! The hub's protocol: topics and channels, served to several processes.
//!
//! A message is published to a **topic**; every **channel** of the topic gets a copy, and the consumers of a channel
//! share what it gets. What is received is invisible to others for a while, and comes back unless it is settled. What
//! comes to a channel that is not [kept](Rules::kept) is delivered once at most.

use std::time::Duration;

use http::Method;
use serde::{Deserialize, Serialize};

use crate::message::Envelope;
use crate::{Call, Idempotence, Policy, Service};

/// Keeps messages until they are consumed.
#[derive(Debug)]
pub struct Hub;

impl Service for Hub {
    const NAME: &'static str = "hub";
    /// Everything is done once however often it is asked for, so that whatever breaks may be tried again. What a broken
    /// answer had comes back after its time; of a channel that is not kept, it is lost.
    const POLICY: Policy = Policy::builder()
        .timeout(Duration::from_secs(10))
        .failure_limit(3)
        .retest_delay(Duration::from_secs(1))
        .health_path("/health")
        .idempotence(Idempotence::Always)
        .answer_limit(16 * 1024 * 1024)
        .build_const();
}

/// The longest request to a hub, in bytes. Of a longer batch, whoever publishes makes two.
pub const REQUEST_LIMIT: usize = 4 * 1024 * 1024;
/// The most messages or settlements in one call.
pub const BATCH_LIMIT: usize = 1024;
/// The longest wait for messages in one call: well within the policy's timeout.
pub const WAIT_LIMIT: Duration = Duration::from_secs(5);

/// How a channel treats what it gets. The first to declare a channel says it; who comes later may say it anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Rules {
    /// How long a message that was received is invisible to others, in milliseconds.
    pub visibility_ms: u64,
    /// How often a message is delivered before it goes to the dead letters. 0: as often as it takes.
    pub tries: u32,
    /// How long a message waits before it is delivered again, in milliseconds; twice as long each time, at most a minute.
    pub backoff_ms: u64,
    /// Outlives its consumers. A channel that does not is kept in memory only, delivers each message once at most, and is
    /// gone a minute after the last one asked: it is where replies go.
    pub kept: bool,
}

impl Default for Rules {
    fn default() -> Self {
        Self { visibility_ms: 30_000, tries: 5, backoff_ms: 100, kept: true }
    }
}

/// The channel, beside each other one, that holds what could not be consumed: `dead-NAME`.
pub fn dead_letters(channel: &str) -> String {
    format!("dead-{channel}")
}

/// Makes a channel, and its topic with it. From then on it gets a copy of everything that is published.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Declare {
    /// The topic's name.
    pub topic: String,
    /// The channel's name.
    pub channel: String,
    /// How it treats what it gets.
    pub rules: Rules,
}

impl Call for Declare {
    type Service = Hub;
    type Response = ();
    const METHOD: Method = Method::POST;
    const ROUTE: &'static str = "/declare";
}

/// Publishes messages; answered when all that are taken are on disk, with an answer for each, in order.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Publish {
    /// At most [`BATCH_LIMIT`], in [`REQUEST_LIMIT`] bytes.
    pub messages: Vec<Envelope>,
}

impl Call for Publish {
    type Service = Hub;
    type Response = Vec<Published>;
    const METHOD: Method = Method::POST;
    const ROUTE: &'static str = "/publish";
}

/// What became of a message that was to be published.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Published {
    /// It is on disk, or in memory if all its channels are.
    Taken,
    /// One of this id was taken before, and this one is the same.
    Twice,
    /// It was not taken, and never will be as it is: says why.
    Bad(String),
    /// Its topic, or the one channel it is for, does not exist.
    Unknown(String),
    /// There is no room for it now: says for what.
    Full(String),
}

/// Receives messages of a channel: at once if there are any, else when the first comes, or nothing when the wait is over.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Receive {
    /// The topic's name.
    pub topic: String,
    /// The channel's name.
    pub channel: String,
    /// The most messages to be had at once: 1 to [`BATCH_LIMIT`].
    pub most: usize,
    /// How long to wait for the first, in milliseconds; at most [`WAIT_LIMIT`].
    pub wait_ms: u64,
}

impl Call for Receive {
    type Service = Hub;
    type Response = Vec<Delivered>;
    const METHOD: Method = Method::POST;
    const ROUTE: &'static str = "/receive";
}

/// A message that was received.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Delivered {
    /// By what this delivery is settled, and no other one of the same message.
    pub receipt: String,
    /// Which delivery of it this is, counted from 1.
    pub attempt: u32,
    /// How long it is invisible to others, in milliseconds from when it was received.
    pub invisible_ms: u64,
    /// What was published.
    pub envelope: Envelope,
}

/// Says what became of deliveries; answered when that is on disk, with an answer for each, in order: false if the
/// delivery had run out, and the message belongs to somebody else. What is delivered once belongs to nobody else.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Settle {
    /// The topic's name.
    pub topic: String,
    /// The channel's name.
    pub channel: String,
    /// At most [`BATCH_LIMIT`].
    pub settlements: Vec<Settlement>,
}

impl Call for Settle {
    type Service = Hub;
    type Response = Vec<bool>;
    const METHOD: Method = Method::POST;
    const ROUTE: &'static str = "/settle";
}

/// What became of one delivery.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settlement {
    /// Of which.
    pub receipt: String,
    /// What.
    pub verdict: Verdict,
}

/// What becomes of a message that was delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// It is done: the channel forgets it.
    Ack,
    /// It could not be done: it is delivered again, after the back-off.
    Nack,
    /// It never can be done: it goes to the dead letters.
    Reject,
    /// It takes longer: it stays invisible for another visibility timeout from now.
    Extend,
}

/// What a hub holds, topic by topic.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Topics {}

impl Call for Topics {
    type Service = Hub;
    type Response = Vec<TopicView>;
    const METHOD: Method = Method::GET;
    const ROUTE: &'static str = "/topics";
}

/// A topic and its channels.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TopicView {
    /// Its name.
    pub topic: String,
    /// In order of their names.
    pub channels: Vec<ChannelView>,
}

/// A channel, and what it holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChannelView {
    /// Its name.
    pub channel: String,
    /// How it treats what it gets.
    pub rules: Rules,
    /// Messages that it holds, those being consumed among them.
    pub waiting: u64,
    /// Messages that were received and are not settled, or wait to be delivered again.
    pub in_flight: u64,
    /// How often a message was received, since the hub started.
    #[serde(default)]
    pub delivered: u64,
    /// How often of that it was not the first time.
    #[serde(default)]
    pub redelivered: u64,
    /// Messages that went to the dead letters since the hub started.
    #[serde(default)]
    pub dead: u64,
}
