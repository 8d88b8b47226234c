//! Publishes.

use std::pin::pin;

use async_nats::jetstream::ErrorCode;
use async_nats::jetstream::publish::PublishAck;
use async_nats::jetstream::response::Response;
use futures_util::FutureExt as _;
use mainstay::contracts::Envelope;
use mainstay::contracts::hub::Published;
use serde_json::{Value, json};

use super::declare::refused;
use super::link::Link;
use super::names::{stream, to_all, to_live};
use super::{Nats, unknown, wire};
use crate::Error;
use crate::engine::Place;

pub(super) async fn publish(nats: &Nats, envelope: Envelope) -> Result<Published, Error> {
    let published = match envelope.to.clone() {
        None => store(&nats.link, to_all(&envelope.topic), envelope).await,
        Some(channel) => to_one(nats, Place { topic: envelope.topic.clone(), channel }, envelope).await,
    };
    match published {
        Err(error) if error.is_bad() => Ok(Published::Bad(error.to_string())),
        Err(error) if error.is_unknown() => Ok(Published::Unknown(error.to_string())),
        Err(error) if error.is_full() => Ok(Published::Full(error.to_string())),
        other => other,
    }
}

/// Most of these are replies, to channels that are kept nowhere. A kept channel is recognised once it was found.
async fn to_one(nats: &Nats, place: Place, envelope: Envelope) -> Result<Published, Error> {
    let mut kept = match nats.has_found(&place) {
        true => nats.find(&place).await?,
        false => None,
    };
    if kept.is_none() {
        if pass_on(&nats.link, &place, envelope.clone()).await? {
            return Ok(Published::Taken);
        }
        kept = nats.find(&place).await?;
    }
    match kept {
        Some((channel, _)) => store(&nats.link, channel.queue.subject(&place), envelope).await,
        None => Err(unknown(&place)),
    }
}

/// Has JetStream store a message.
async fn store(link: &Link, subject: String, envelope: Envelope) -> Result<Published, Error> {
    let topic = envelope.topic.clone();
    match link.ask(subject, wire::write(envelope)).await? {
        Some(answer) => stored(&topic, &answer.payload),
        None => Err(why_not(link, &topic).await?),
    }
}

pub(super) fn stored(topic: &str, answer: &[u8]) -> Result<Published, Error> {
    match serde_json::from_slice(answer) {
        Ok(Response::Ok(PublishAck { duplicate: false, .. })) => Ok(Published::Taken),
        Ok(Response::Ok(_)) => Ok(Published::Twice),
        Ok(Response::Err { error }) => Err(refused(&format_args!("topic {topic}"), &error)),
        Err(error) => Err(Error::unavailable("JetStream's answer cannot be read").because(error)),
    }
}

/// Nobody took it: there is no such topic, unless JetStream is only not up yet.
async fn why_not(link: &Link, topic: &str) -> Result<Error, Error> {
    match link.api::<Value>(format!("STREAM.INFO.{}", stream(topic)), &json!({})).await? {
        Err(error) if error.error_code() == ErrorCode::STREAM_NOT_FOUND => {
            Ok(Error::unknown(format!("there is no topic {topic}: nobody has declared a channel of it")))
        }
        _ => Ok(Error::unavailable("JetStream is not up yet")),
    }
}

/// Passes a message on to whoever consumes a channel that is not kept, if anybody does. They say nothing to it: one who
/// stands still would hold up everything that travels with it. The server does, if nobody listens, and then before it
/// sees whatever was sent later.
async fn pass_on(link: &Link, place: &Place, envelope: Envelope) -> Result<bool, Error> {
    let mut answer = pin!(link.ask(to_live(place), wire::write(envelope)));
    tokio::select! {
        biased;
        answer = &mut answer => return Ok(answer?.is_some()),
        seen = link.seen() => seen?,
    }
    // Both may have come between one look and the other.
    answer.now_or_never().map_or(Ok(true), |answer| Ok(answer?.is_some()))
}
