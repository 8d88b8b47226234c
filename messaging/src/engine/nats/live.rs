//! Channels that are not kept: what comes for them waits in this process's memory, and no stream has it.
//!
//! Such a channel is its process's own, as a channel for replies is: those who declare it elsewhere share what comes,
//! and who only consumes it elsewhere finds none. A message is delivered once, settled or not, and one that was published
//! twice may come twice. What finds no room is dropped.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use async_nats::{Message, Subscriber};
use futures_util::StreamExt as _;
use futures_util::stream::select;
use mainstay::contracts::Envelope;
use mainstay::contracts::hub::{Delivered, Rules};
use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until, timeout_at};
use tokio_util::task::AbortOnDropHandle;
use tracing::warn;

use super::link::Link;
use super::names::{to_all, to_live};
use super::wire;
use crate::Error;
use crate::engine::Place;

/// How long a channel outlives whoever asked it last.
const ABANDONED: Duration = Duration::from_secs(60);
/// Messages that wait in one, and their bytes.
const MESSAGES: usize = 10_000;
const BYTES: usize = 16 << 20;
/// Deliveries are settled by themselves: nobody asks for their receipt.
const RECEIPT: &str = "live";

#[derive(Debug)]
pub(super) struct Live {
    shared: Arc<Shared>,
    rules: Rules,
    _reader: AbortOnDropHandle<()>,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    came: Notify,
}

#[derive(Debug)]
struct State {
    waiting: VecDeque<Envelope>,
    bytes: usize,
    asked: Instant,
    gone: bool,
}

impl Live {
    /// Begins to listen; when this returns, so does the server.
    pub(super) async fn start(link: &Link, place: Place, rules: Rules) -> Result<Self, Error> {
        let unsent = |error| Error::unavailable("NATS cannot be asked").because(error);
        let group = || place.channel.clone();
        let copies = link.client().queue_subscribe(to_all(&place.topic), group()).await.map_err(unsent)?;
        let own = link.client().queue_subscribe(to_live(&place), group()).await.map_err(unsent)?;
        link.seen().await?;
        let state = State { waiting: VecDeque::new(), bytes: 0, asked: Instant::now(), gone: false };
        let shared = Arc::new(Shared { state: Mutex::new(state), came: Notify::new() });
        let reader = tokio::spawn(read(Arc::clone(&shared), place, copies, own));
        Ok(Self { shared, rules, _reader: AbortOnDropHandle::new(reader) })
    }

    /// Has nobody asked for too long?
    pub(super) fn is_gone(&self) -> bool {
        self.shared.state.lock().gone
    }

    pub(super) async fn receive(&self, most: usize, until: Instant) -> Vec<Delivered> {
        loop {
            let taken = self.shared.take(most);
            if !taken.is_empty() {
                let invisible_ms = self.rules.visibility_ms;
                let delivered =
                    |envelope| Delivered { receipt: RECEIPT.to_owned(), attempt: 1, invisible_ms, envelope };
                return taken.into_iter().map(delivered).collect();
            }
            if timeout_at(until, self.shared.came.notified()).await.is_err() {
                return Vec::new();
            }
        }
    }
}

impl Shared {
    fn take(&self, most: usize) -> Vec<Envelope> {
        let mut state = self.state.lock();
        state.asked = Instant::now();
        let count = most.min(state.waiting.len());
        let taken: Vec<_> = state.waiting.drain(..count).collect();
        state.bytes -= taken.iter().map(bytes).sum::<usize>();
        if !state.waiting.is_empty() {
            self.came.notify_one();
        }
        taken
    }

    /// Was there room for it?
    fn put(&self, envelope: Envelope) -> bool {
        let mut state = self.state.lock();
        if state.waiting.len() >= MESSAGES || state.bytes + bytes(&envelope) > BYTES {
            return false;
        }
        state.bytes += bytes(&envelope);
        state.waiting.push_back(envelope);
        self.came.notify_one();
        true
    }
}

fn bytes(envelope: &Envelope) -> usize {
    envelope.body.get().len()
}

async fn read(shared: Arc<Shared>, place: Place, copies: Subscriber, own: Subscriber) {
    let mut messages = select(copies, own);
    loop {
        let until = shared.state.lock().asked + ABANDONED;
        tokio::select! {
            message = messages.next() => {
                let Some(Message { subject, headers, payload, .. }) = message else { break };
                if !shared.put(wire::read(&place.topic, &subject, headers.as_ref(), &payload, 0)) {
                    warn!(target: "mainstay::messaging", "{place} is full, and misses a message");
                }
            }
            () = sleep_until(until) => {
                let mut state = shared.state.lock();
                state.gone = state.asked + ABANDONED <= Instant::now();
                if state.gone {
                    return;
                }
            }
        }
    }
    shared.state.lock().gone = true;
}

#[cfg(test)]
mod tests {
    use mainstay::contracts::message::BODY_LIMIT;
    use serde_json::value::RawValue;

    use super::*;

    fn envelope(id: usize, bytes: usize) -> Envelope {
        let body = RawValue::from_string(format!("\"{}\"", "x".repeat(bytes))).unwrap();
        let id = id.to_string();
        Envelope { id, topic: "topic".to_owned(), to: None, correlation: None, reply_to: None, body }
    }

    fn shared() -> Shared {
        let state = State { waiting: VecDeque::new(), bytes: 0, asked: Instant::now(), gone: false };
        Shared { state: Mutex::new(state), came: Notify::new() }
    }

    #[test]
    fn messages_are_taken_in_their_order() {
        let shared = shared();
        assert!((0..5).all(|id| shared.put(envelope(id, 1))));
        let ids = |taken: Vec<Envelope>| taken.into_iter().map(|envelope| envelope.id).collect::<Vec<_>>();
        assert_eq!(ids(shared.take(2)), ["0", "1"]);
        assert_eq!(ids(shared.take(9)), ["2", "3", "4"]);
        assert_eq!(shared.state.lock().bytes, 0);
    }

    #[test]
    fn what_waits_is_bounded_by_number_and_by_bytes() {
        let (many, long) = (shared(), shared());
        assert_eq!((0..2 * MESSAGES).filter(|&id| many.put(envelope(id, 1))).count(), MESSAGES);
        let half = BODY_LIMIT / 2;
        let taken = (0..40).filter(|&id| long.put(envelope(id, half))).count();
        assert_eq!(taken, 31, "of as many bytes, and the quotes around them");
        long.take(1);
        assert!(long.put(envelope(0, half)));
    }
}
