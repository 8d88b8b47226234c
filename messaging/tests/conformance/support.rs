//! What the cases tell each other, and how long they wait.

use std::time::Duration;

use mainstay_messaging::{Consumer, Delivery, Envelope, Message, Messages, Rules};
use serde::{Deserialize, Serialize};
use tokio::time::timeout;

/// Longer than anything that is waited for takes on a busy machine.
const SOON: Duration = Duration::from_secs(10);
/// How long to look whether something comes that must not.
const WHILE: Duration = Duration::from_millis(150);
/// Longer than a case.
const CASE: Duration = Duration::from_secs(50);

/// A channel that is patient: what has a time of its own says so.
pub(crate) const RULES: Rules = Rules { visibility_ms: 20_000, tries: 3, backoff_ms: 0, kept: true };

#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Note {
    pub(crate) n: u32,
}

impl Message for Note {
    const TOPIC: &'static str = "notes";
}

/// Not a note, and told where notes are.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Scribble(pub(crate) String);

impl Message for Scribble {
    const TOPIC: &'static str = "notes";
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Answer {
    pub(crate) to: u32,
}

impl Message for Answer {
    const TOPIC: &'static str = "answers";
}

pub(crate) async fn in_time<T>(case: impl Future<Output = T>) -> T {
    timeout(CASE, case).await.expect("the case has not ended")
}

/// A channel of notes, and a consumer of it.
pub(crate) async fn channel(messages: &Messages, name: &str, rules: Rules) -> Consumer<Note> {
    messages.declare::<Note>(name, rules).await.unwrap();
    messages.consume(name).unwrap()
}

pub(crate) async fn tell(messages: &Messages, notes: impl IntoIterator<Item = u32>) {
    for n in notes {
        messages.tell(&Note { n }).await.unwrap();
    }
}

pub(crate) fn note(id: &str, n: u32) -> Envelope {
    Envelope::new(id, &Note { n }).unwrap()
}

pub(crate) async fn next<M: Message>(consumer: &mut Consumer<M>) -> Delivery<M> {
    timeout(SOON, consumer.next()).await.expect("nothing comes").unwrap()
}

/// The next so many notes, each acknowledged.
pub(crate) async fn take(consumer: &mut Consumer<Note>, count: usize) -> Vec<u32> {
    let mut notes = Vec::new();
    for _ in 0..count {
        let delivery = next(consumer).await;
        delivery.ack().await.unwrap();
        notes.push(delivery.message.n);
    }
    notes
}

pub(crate) async fn nothing<M: Message>(consumer: &mut Consumer<M>) {
    if let Ok(came) = timeout(WHILE, consumer.next()).await {
        panic!("nothing was to come, and {came:?} has");
    }
}
