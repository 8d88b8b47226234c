//! Receives.

use std::time::Duration;

use async_nats::{Message, StatusCode};
use futures_util::StreamExt as _;
use futures_util::future::join_all;
use mainstay::contracts::hub::{Delivered, Rules};
use serde_json::json;
use tokio::time::{Instant, sleep_until, timeout_at};
use tracing::debug;

use super::channel::Channel;
use super::link::Link;
use super::names::only_to;
use super::receipt::Receipt;
use super::{dead, settle, unknown, wire};
use crate::Error;

/// Bytes of messages received at once.
const BYTES: usize = 4 << 20;
/// How much later than the wait the server may say that it is over.
const GRACE: Duration = Duration::from_secs(1);
/// How long until the server is asked again, after it had nothing to give before the wait was over: what there is goes
/// to others who wait.
const AGAIN: Duration = Duration::from_millis(20);

pub(super) async fn receive(
    link: &Link,
    channel: &Channel,
    rules: Rules,
    most: usize,
    until: Instant,
) -> Result<Vec<Delivered>, Error> {
    loop {
        let wait = until.saturating_duration_since(Instant::now());
        let messages = pull(link, channel, most, wait.max(Duration::from_millis(1))).await?;
        let came = !messages.is_empty();
        let mut delivered = Vec::with_capacity(messages.len());
        let mut others = Vec::new();
        let now = Instant::now();
        for message in messages {
            let Some((reply, receipt)) = receipt(&message) else { continue };
            let is_for_another = only_to(&message.subject).is_some_and(|only| only != channel.place.channel);
            let exhausted = rules.tries > 0 && receipt.attempt > rules.tries && !channel.queue.dead;
            if is_for_another || exhausted {
                others.push(async move {
                    match is_for_another {
                        true => settle::ack(link, &reply).await,
                        false => dead::bury(link, channel, receipt, &reply).await,
                    }
                });
                continue;
            }
            let visibility = Duration::from_millis(rules.visibility_ms);
            channel.held.lock().insert(receipt.message, receipt.attempt, now, visibility);
            let Message { subject, headers, payload, .. } = &message;
            let topic = &channel.place.topic;
            let envelope = wire::read(topic, subject, headers.as_ref(), payload, receipt.message);
            let (attempt, invisible_ms) = (receipt.attempt, rules.visibility_ms);
            delivered.push(Delivered { receipt: reply, attempt, invisible_ms, envelope });
        }
        // What cannot be moved now comes again, and is moved then.
        for error in join_all(others).await.into_iter().filter_map(Result::err) {
            debug!(target: "mainstay::messaging", "{} has a message that stays for now: {error}", channel.place);
        }
        if !delivered.is_empty() || until <= Instant::now() {
            return Ok(delivered);
        }
        if !came {
            sleep_until(until.min(Instant::now() + AGAIN)).await;
        }
    }
}

fn receipt(message: &Message) -> Option<(String, Receipt)> {
    let reply = message.reply.as_ref()?.to_string();
    let receipt = reply.parse().ok()?;
    Some((reply, receipt))
}

/// Asks for messages: those that are there, else the first that come. `no_wait` with an expiry means just that.
async fn pull(link: &Link, channel: &Channel, most: usize, wait: Duration) -> Result<Vec<Message>, Error> {
    let queue = &channel.queue;
    let unsent = || Error::unavailable("NATS cannot be asked");
    let inbox = link.client().new_inbox();
    let mut answers = link.client().subscribe(inbox.clone()).await.map_err(|error| unsent().because(error))?;
    let next = format!("$JS.API.CONSUMER.MSG.NEXT.{}.{}", queue.stream, queue.consumer);
    let expires = u64::try_from(wait.as_nanos()).unwrap_or(u64::MAX);
    let request = json!({ "batch": most, "max_bytes": BYTES, "expires": expires, "no_wait": true });
    let asked = link.client().publish_with_reply(next, inbox, request.to_string().into()).await;
    asked.map_err(|error| unsent().because(error))?;
    let late = Instant::now() + wait + GRACE;
    let mut messages = Vec::new();
    while messages.len() < most {
        // Whoever says nothing for so long will not any more; what it has said counts.
        let Ok(Some(message)) = timeout_at(late, answers.next()).await else { break };
        match message.status {
            None | Some(StatusCode::OK) => messages.push(message),
            Some(StatusCode::IDLE_HEARTBEAT) => {}
            // That was all: of what there is, or within the time, or within the bytes.
            Some(_) if !messages.is_empty() => break,
            Some(StatusCode::TIMEOUT | StatusCode::NOT_FOUND) => break,
            Some(status) => {
                // It may be gone.
                channel.forget_rules();
                return match channel.rules(link).await? {
                    Some(_) => Err(Error::unavailable(format!("JetStream says {status}"))),
                    None => Err(unknown(&channel.place)),
                };
            }
        }
    }
    Ok(messages)
}
