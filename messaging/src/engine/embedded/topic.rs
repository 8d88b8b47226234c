//! One topic: its channels, and how much they hold.

use std::collections::BTreeMap;
use std::sync::Arc;

use mainstay::contracts::Envelope;
use mainstay::contracts::hub::{ChannelView, Published, Rules, TopicView};
use tokio::time::Instant;

use super::channel::{Channel, Mark};
use super::limits::{CHANNELS, Limits, UNKEPT};
use super::recent::Recent;
use crate::Error;

const DEAD: &str = "dead-";

/// A topic's number is in the upper bits of its messages' numbers, so that they lie together on disk.
const SHIFT: u32 = 40;

/// Bytes that a message takes besides its texts: what its row and its id cost on disk.
const OVERHEAD: usize = 128;

/// A message that is to be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Admission {
    pub(super) seq: i64,
    pub(super) bytes: usize,
    /// The channels that get a copy, a bit for each.
    pub(super) live: i64,
    /// The channels among whose dead letters it is.
    pub(super) dead: i64,
}

#[derive(Debug)]
pub(super) struct Topic {
    /// None as long as no channel of it is kept.
    pub(super) number: Option<i64>,
    pub(super) last: i64,
    pub(super) messages: u64,
    pub(super) bytes: u64,
    pub(super) channels: BTreeMap<String, Channel>,
    pub(super) recent: Recent,
}

impl Topic {
    pub(super) fn new(number: Option<i64>) -> Self {
        let last = number.map_or(0, Self::start);
        Self { number, last, messages: 0, bytes: 0, channels: BTreeMap::new(), recent: Recent::default() }
    }

    /// The topic of a message.
    pub(super) fn of(seq: i64) -> i64 {
        seq >> SHIFT
    }

    /// The number before a topic's first message.
    pub(super) fn start(number: i64) -> i64 {
        number << SHIFT
    }

    /// The last number that a message of a topic can have.
    pub(super) fn end(number: i64) -> i64 {
        ((number + 1) << SHIFT) - 1
    }

    /// Where a new channel would be noted.
    pub(super) fn place_for(&self, channel: &str) -> Result<Mark, Error> {
        let (base, dead) = match channel.strip_prefix(DEAD) {
            Some(base) => (base, true),
            None => (channel, false),
        };
        if base.starts_with(DEAD) {
            return Err(Error::bad("dead letters have no dead letters of their own"));
        }
        let bit_of = |name: &str| Some(self.channels.get(name)?.mark()?.bit);
        let used = self.channels.values().filter_map(Channel::mark).fold(0u64, |used, mark| used | 1 << mark.bit);
        let bit = bit_of(base).or_else(|| bit_of(&format!("{DEAD}{base}"))).unwrap_or_else(|| used.trailing_ones());
        match bit {
            0..CHANNELS => Ok(Mark { bit, dead }),
            _ => Err(Error::full(format!("the topic has {CHANNELS} channels, as many as it may"))),
        }
    }

    /// Makes a channel that is not kept.
    pub(super) fn add_unkept(&mut self, name: &str, rules: Rules, limits: Limits, now: Instant) -> Result<(), Error> {
        if self.channels.values().filter(|channel| channel.mark().is_none()).count() >= UNKEPT {
            return Err(Error::full(format!("the topic has {UNKEPT} channels that are not kept, as many as it may")));
        }
        self.channels.insert(name.to_owned(), Channel::new(rules, None, limits, 0, now));
        Ok(())
    }

    /// Who of the kept channels gets a message: copies, and dead letters.
    pub(super) fn kept_of(&self, envelope: &Envelope) -> Result<(i64, i64), Published> {
        let Some(to) = &envelope.to else {
            let live = self.channels.values().filter_map(Channel::mark).filter(|mark| !mark.dead);
            return Ok((live.fold(0, |live, mark| live | 1 << mark.bit), 0));
        };
        let unknown = || Published::Unknown(format!("there is no channel {to} of topic {}", envelope.topic));
        Ok(match self.channels.get(to).ok_or_else(unknown)?.mark() {
            Some(Mark { bit, dead: false }) => (1 << bit, 0),
            Some(Mark { bit, dead: true }) => (0, 1 << bit),
            None => (0, 0),
        })
    }

    /// Takes a place for a message that is to be written.
    pub(super) fn admit(&mut self, envelope: &Envelope, limits: &Limits) -> Result<Admission, Published> {
        let (live, dead) = self.kept_of(envelope)?;
        let bytes = weight(envelope);
        let holds = |what| Published::Full(format!("topic {} holds {what}, as many as it may", envelope.topic));
        if self.messages >= limits.messages {
            return Err(holds(format!("{} messages", self.messages)));
        }
        if self.bytes + bytes as u64 > limits.bytes {
            return Err(holds(format!("{} bytes", self.bytes)));
        }
        self.last += 1;
        self.messages += 1;
        self.bytes += bytes as u64;
        Ok(Admission { seq: self.last, bytes, live, dead })
    }

    /// Gives the place back.
    pub(super) fn release(&mut self, bytes: usize) {
        self.messages = self.messages.saturating_sub(1);
        self.bytes = self.bytes.saturating_sub(bytes as u64);
    }

    /// A message was written: its channels get it.
    pub(super) fn push(&mut self, admission: Admission, message: &Arc<Envelope>, arrivals: &mut i64) {
        let Admission { seq, bytes, live, dead } = admission;
        for channel in self.channels.values_mut() {
            match channel.mark() {
                Some(mark) => {
                    let word = if mark.dead { dead } else { live };
                    if word & 1 << mark.bit != 0 {
                        channel.push(seq, 0, bytes, Arc::clone(message));
                    }
                }
                None if message.to.is_none() => push_unkept(channel, bytes, message, arrivals),
                None => {}
            }
        }
    }

    /// Takes a message that no kept channel gets.
    pub(super) fn publish_unkept(&mut self, message: &Arc<Envelope>, arrivals: &mut i64) -> Published {
        if self.recent.has(&message.id) {
            return Published::Twice;
        }
        let bytes = weight(message);
        match &message.to {
            Some(to) => {
                if let Some(only) = self.channels.get_mut(to) {
                    if !only.has_room(bytes) {
                        let holds = format!("holds {} messages, as many as it may", only.waiting());
                        return Published::Full(format!("channel {to} {holds}"));
                    }
                    push_unkept(only, bytes, message, arrivals);
                }
            }
            None => self.channels.values_mut().for_each(|channel| push_unkept(channel, bytes, message, arrivals)),
        }
        self.recent.remember(&message.id);
        Published::Taken
    }

    pub(super) fn view(&self, topic: &str) -> TopicView {
        let channel = |(name, channel): (&String, &Channel)| ChannelView {
            channel: name.clone(),
            rules: channel.rules(),
            waiting: channel.waiting(),
            in_flight: channel.in_flight(),
            delivered: channel.counts.delivered,
            redelivered: channel.counts.redelivered,
            dead: channel.counts.dead,
        };
        TopicView { topic: topic.to_owned(), channels: self.channels.iter().map(channel).collect() }
    }
}

/// A channel that is not kept misses copies when it is full: nobody else waits for its consumers.
fn push_unkept(channel: &mut Channel, bytes: usize, message: &Arc<Envelope>, arrivals: &mut i64) {
    if channel.mark().is_none() && channel.has_room(bytes) {
        *arrivals += 1;
        channel.push(*arrivals, 0, bytes, Arc::clone(message));
    }
}

fn weight(envelope: &Envelope) -> usize {
    let text = |text: &Option<String>| text.as_ref().map_or(0, String::len);
    let Envelope { id, to, correlation, reply_to, body, .. } = envelope;
    body.get().len() + id.len() + text(to) + text(correlation) + text(reply_to) + OVERHEAD
}
