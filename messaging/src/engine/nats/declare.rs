//! Makes streams and consumers.

use std::fmt;
use std::time::Duration;

use async_nats::jetstream::consumer::{self, AckPolicy, DeliverPolicy};
use async_nats::jetstream::stream::{Config, DiscardPolicy, RetentionPolicy};
use async_nats::jetstream::{self, ErrorCode};
use mainstay::contracts::hub::Rules;
use serde::Serialize;
use serde_json::{Value, json};

use super::link::Link;
use super::names::{Queue, everything, graveyard, stream, to_dead};
use crate::Error;
use crate::engine::Place;

/// Messages of a topic, or of the dead letters of one.
const MESSAGES: i64 = 1_000_000;
/// Their bytes, which the server sets aside. Who needs more says so to the server.
const BYTES: i64 = 256 << 20;
const DEAD_BYTES: i64 = 64 << 20;
/// How long ids are remembered: each is a line in the server's memory.
const REMEMBERED: Duration = Duration::from_secs(10 * 60);
/// Messages of a channel that were received and not settled, or wait to be delivered again.
const IN_FLIGHT: i64 = 10_000;

/// Makes a topic. One that is there stays as it is, also if somebody has given it other limits.
pub(super) async fn topic(link: &Link, topic: &str) -> Result<(), Error> {
    let config = Config {
        name: stream(topic),
        subjects: vec![everything(topic)],
        retention: RetentionPolicy::Interest,
        max_messages: MESSAGES,
        max_bytes: BYTES,
        discard: DiscardPolicy::New,
        duplicate_window: REMEMBERED,
        ..Config::default()
    };
    make_stream(link, config).await
}

async fn make_stream(link: &Link, config: Config) -> Result<(), Error> {
    match link.api::<Value>(format!("STREAM.CREATE.{}", config.name), &config).await? {
        Err(error) if error.error_code() != ErrorCode::STREAM_NAME_EXIST => Err(refused(&config.name, &error)),
        _ => Ok(()),
    }
}

/// Makes a kept channel and the one for its dead letters, or says its rules anew.
pub(super) async fn channel(link: &Link, place: &Place, rules: Rules) -> Result<(), Error> {
    let queue = Queue::of(place);
    topic(link, &place.topic).await?;
    let dead = Config {
        name: graveyard(&place.topic),
        subjects: vec![to_dead(&place.topic, "*")],
        retention: RetentionPolicy::WorkQueue,
        max_messages: MESSAGES,
        max_bytes: DEAD_BYTES,
        discard: DiscardPolicy::New,
        duplicate_window: REMEMBERED,
        ..Config::default()
    };
    make_stream(link, dead).await?;
    if !queue.dead {
        // Whoever dies has a place to go to. Its own rules are for whoever declares it.
        let letters = Queue { stream: graveyard(&place.topic), consumer: queue.consumer.clone(), dead: true };
        if let Err(error) = info(link, &letters).await? {
            if error.error_code() != ErrorCode::CONSUMER_NOT_FOUND {
                return Err(refused(place, &error));
            }
            make_consumer(link, &letters, &place.topic, Rules::default()).await?;
        }
    }
    make_consumer(link, &queue, &place.topic, rules).await
}

#[derive(Serialize)]
struct Create<'a> {
    stream_name: &'a str,
    config: consumer::pull::Config,
}

async fn make_consumer(link: &Link, queue: &Queue, topic: &str, rules: Rules) -> Result<(), Error> {
    let Queue { stream, consumer, dead } = queue;
    let (filter_subject, deliver_policy) = match dead {
        true => (to_dead(topic, consumer), DeliverPolicy::All),
        // Two subjects, which 2.9 cannot filter by: what is for others is passed over when it is received.
        false => (String::new(), DeliverPolicy::New),
    };
    let config = consumer::pull::Config {
        durable_name: Some(consumer.clone()),
        description: Some(serde_json::to_string(&rules).map_err(Error::bad)?),
        deliver_policy,
        ack_policy: AckPolicy::Explicit,
        ack_wait: Duration::from_millis(rules.visibility_ms),
        max_deliver: -1,
        max_ack_pending: IN_FLIGHT,
        filter_subject,
        ..consumer::pull::Config::default()
    };
    let create = format!("CONSUMER.DURABLE.CREATE.{stream}.{consumer}");
    match link.api::<Value>(create, &Create { stream_name: stream, config }).await? {
        Ok(_) => Ok(()),
        Err(error) => Err(refused(consumer, &error)),
    }
}

/// What is known of a channel, or why it is not.
pub(super) async fn info(link: &Link, queue: &Queue) -> Result<Result<consumer::Info, jetstream::Error>, Error> {
    link.api(format!("CONSUMER.INFO.{}.{}", queue.stream, queue.consumer), &json!({})).await
}

/// What a refusal of JetStream's is to us.
pub(super) fn refused(what: &dyn fmt::Display, error: &jetstream::Error) -> Error {
    let said = format!("{what}: {error}");
    match error.error_code() {
        ErrorCode::STREAM_NOT_FOUND | ErrorCode::CONSUMER_NOT_FOUND => Error::unknown(said),
        ErrorCode::STREAM_STORE_FAILED
        | ErrorCode::STORAGE_RESOURCES_EXCEEDED
        | ErrorCode::MEMORY_RESOURCES_EXCEEDED
        | ErrorCode::ACCOUNT_RESOURCES_EXCEEDED
        | ErrorCode::INSUFFICIENT_RESOURCES => Error::full(said),
        ErrorCode::STREAM_MESSAGE_EXCEEDS_MAXIMUM | ErrorCode::STREAM_SUBJECT_OVERLAP => Error::bad(said),
        // It would say the same again.
        _ if error.code() == 400 => Error::bad(said),
        _ => Error::unavailable(said),
    }
}
