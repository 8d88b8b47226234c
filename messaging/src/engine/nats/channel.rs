//! A kept channel, as far as this process knows it.

use std::time::Duration;

use async_nats::jetstream::ErrorCode;
use mainstay::contracts::hub::Rules;
use parking_lot::Mutex;
use tokio::time::Instant;

use super::declare::{info, refused};
use super::held::Held;
use super::link::Link;
use super::names::Queue;
use crate::Error;
use crate::engine::Place;

/// How long rules are believed: another process may have said them anew.
const BELIEVED: Duration = Duration::from_secs(10);

#[derive(Debug)]
pub(super) struct Channel {
    pub(super) place: Place,
    pub(super) queue: Queue,
    pub(super) held: Mutex<Held>,
    rules: Mutex<Option<(Rules, Instant)>>,
}

impl Channel {
    pub(super) fn new(place: Place) -> Self {
        let queue = Queue::of(&place);
        Self { place, queue, held: Mutex::default(), rules: Mutex::default() }
    }

    /// Its rules have been said anew.
    pub(super) fn forget_rules(&self) {
        *self.rules.lock() = None;
    }

    /// Its rules. None if there is no such channel.
    pub(super) async fn rules(&self, link: &Link) -> Result<Option<Rules>, Error> {
        if let Some((rules, at)) = *self.rules.lock()
            && at.elapsed() < BELIEVED
        {
            return Ok(Some(rules));
        }
        let asked = Instant::now();
        match info(link, &self.queue).await? {
            Ok(info) => {
                let said = info.config.description.and_then(|said| serde_json::from_str(&said).ok());
                let visibility_ms = u64::try_from(info.config.ack_wait.as_millis()).unwrap_or(u64::MAX);
                let rules = Rules { visibility_ms, ..said.unwrap_or_default() };
                *self.rules.lock() = Some((rules, asked));
                Ok(Some(rules))
            }
            Err(error) if matches!(error.error_code(), ErrorCode::CONSUMER_NOT_FOUND | ErrorCode::STREAM_NOT_FOUND) => {
                self.forget_rules();
                Ok(None)
            }
            Err(error) => Err(refused(&self.place, &error)),
        }
    }
}

/// How long a message waits that could not be consumed in so many attempts.
pub(super) fn backoff(rules: &Rules, attempts: u32) -> Duration {
    const LONGEST: Duration = Duration::from_secs(60);
    let doubled = u32::checked_pow(2, attempts.saturating_sub(1)).unwrap_or(u32::MAX);
    Duration::from_millis(rules.backoff_ms.saturating_mul(doubled.into())).min(LONGEST)
}
