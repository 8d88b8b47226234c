//! Settles.

use std::time::Duration;

use async_nats::{Request, StatusCode};
use mainstay::contracts::hub::{Rules, Settlement, Verdict};
use serde_json::json;
use tokio::time::Instant;

use super::channel::{Channel, backoff};
use super::dead;
use super::declare::{info, refused};
use super::link::Link;
use super::receipt::Receipt;
use crate::Error;

/// Settles a delivery: was it still its consumer's?
pub(super) async fn settle(
    link: &Link,
    channel: &Channel,
    rules: Rules,
    settlement: Settlement,
) -> Result<bool, Error> {
    let Settlement { receipt: subject, verdict } = settlement;
    let receipt: Receipt = subject.parse().map_err(|_| Error::bad(format!("{subject} is no receipt")))?;
    let Receipt { message, attempt, .. } = receipt;
    if !channel.held.lock().holds(message, attempt, Instant::now()) {
        return is_done(link, channel, message).await;
    }
    let exhausted = rules.tries > 0 && attempt >= rules.tries;
    match verdict {
        Verdict::Ack => ack(link, &subject).await?,
        Verdict::Extend => {
            tell(link, &subject, "+WPI".to_owned()).await?;
            let visibility = Duration::from_millis(rules.visibility_ms);
            channel.held.lock().insert(message, attempt, Instant::now(), visibility);
            return Ok(true);
        }
        Verdict::Reject if !channel.queue.dead => dead::bury(link, channel, receipt, &subject).await?,
        Verdict::Nack if exhausted && !channel.queue.dead => dead::bury(link, channel, receipt, &subject).await?,
        Verdict::Nack | Verdict::Reject => {
            let delay = u64::try_from(backoff(&rules, attempt).as_nanos()).unwrap_or(u64::MAX);
            tell(link, &subject, format!("-NAK {}", json!({ "delay": delay }))).await?;
        }
    }
    channel.held.lock().release(message, attempt);
    Ok(true)
}

/// Acknowledges a delivery, and waits until JetStream has noted it.
pub(super) async fn ack(link: &Link, subject: &str) -> Result<(), Error> {
    tell(link, subject, "+ACK".to_owned()).await
}

/// With nobody to be told, the channel is gone, and all that was in it.
async fn tell(link: &Link, subject: &str, word: String) -> Result<(), Error> {
    link.ask(subject.to_owned(), Request::new().payload(word.into())).await.map(drop)
}

/// Has this message been settled? It has if it is gone, or if everything up to it is settled. While other channels still
/// have it to consume, JetStream tells no more than that, so that a late word for a message which somebody else has
/// settled may count as late all the same.
async fn is_done(link: &Link, channel: &Channel, message: u64) -> Result<bool, Error> {
    match info(link, &channel.queue).await? {
        Ok(info) if info.ack_floor.stream_sequence >= message => Ok(true),
        Ok(_) => Ok(dead::get(link, channel, message).await?.is_none()),
        Err(error) if error.code() == usize::from(StatusCode::NOT_FOUND.as_u16()) => Ok(true),
        Err(error) => Err(refused(&channel.place, &error)),
    }
}
