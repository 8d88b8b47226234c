//! Moves what could not be consumed to the dead letters.
//!
//! It is copied to their stream first, and acknowledged where it was once that is stored. Whoever dies in between leaves
//! it in both places, and unsettled in the first one, so that it is delivered and moved again. The copy's id is made of
//! the message's place and time, so the second copy is the first one, for as long as ids are remembered.

use async_nats::Request;
use async_nats::jetstream::ErrorCode;
use async_nats::jetstream::message::StreamMessage;
use async_nats::jetstream::stream::RawMessage;
use serde::Deserialize;
use serde_json::json;
use tracing::info;

use super::channel::Channel;
use super::declare::refused;
use super::link::Link;
use super::names::to_dead;
use super::receipt::Receipt;
use super::{publish, settle, wire};
use crate::Error;

#[derive(Deserialize)]
struct Got {
    message: RawMessage,
}

/// A message as it is stored, if it still is.
pub(super) async fn get(link: &Link, channel: &Channel, number: u64) -> Result<Option<StreamMessage>, Error> {
    let get = format!("STREAM.MSG.GET.{}", channel.queue.stream);
    let got = match link.api::<Got>(get, &json!({ "seq": number })).await? {
        Ok(got) => got.message,
        Err(error) if error.error_code() == ErrorCode::NO_MESSAGE_FOUND => return Ok(None),
        Err(error) => return Err(refused(&channel.place, &error)),
    };
    let unreadable = |error| Error::unavailable(format!("JetStream's answer cannot be read: {error}"));
    StreamMessage::try_from(got).map(Some).map_err(unreadable)
}

pub(super) async fn bury(link: &Link, channel: &Channel, receipt: Receipt, subject: &str) -> Result<(), Error> {
    let topic = &channel.place.topic;
    // If it is gone, somebody has moved it.
    let Some(StreamMessage { headers, payload, .. }) = get(link, channel, receipt.message).await? else {
        return Ok(());
    };
    let id = wire::id(topic, Some(&headers), receipt.message);
    let letter = format!("{}-{}-{}", channel.place.channel, receipt.message, receipt.stored);
    let copy = Request::new().headers(wire::headers_of_dead(&headers, id.clone(), letter)).payload(payload);
    let answer = link.ask(to_dead(topic, &channel.queue.consumer), copy).await?;
    let answer = answer.ok_or_else(|| Error::unavailable(format!("the dead letters of {topic} have no stream")))?;
    publish::stored(topic, &answer.payload)?;
    info!(target: "mainstay::messaging", "{id} on {} goes to the dead letters", channel.place);
    settle::ack(link, subject).await
}
