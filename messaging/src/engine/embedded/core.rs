//! Topics and their channels, as a pure function of time.

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::Arc;

use mainstay::contracts::Envelope;
use mainstay::contracts::hub::{Published, Rules, Settlement, TopicView, dead_letters};
use mainstay::contracts::message::check_name;
use tokio::sync::Notify;
use tokio::time::Instant;

use super::channel::{Channel, Loaded, Mark, Step, Taken, Write};
use super::limits::{Limits, check_rules};
use super::receipt::Receipt;
use super::store::{Saved, SavedChannel};
use super::topic::{Admission, Topic};
use crate::Error;
use crate::engine::Place;

/// How dead letters are treated: they wait until somebody looks at them.
pub(super) const DEAD_RULES: Rules = Rules { visibility_ms: 30_000, tries: 0, backoff_ms: 1_000, kept: true };

/// A change of one message that is to be written.
#[derive(Debug, Clone)]
pub(super) struct Change {
    pub(super) place: Place,
    pub(super) mark: Mark,
    pub(super) seq: i64,
    pub(super) write: Write,
    /// The message's bytes, if they are known.
    pub(super) bytes: Option<usize>,
    /// May it have been noted that it could not be consumed?
    pub(super) tried: bool,
}

/// A kept channel that is to be written, new or with new rules.
#[derive(Debug, Clone, Copy)]
pub(super) struct Declared {
    pub(super) topic: i64,
    pub(super) mark: Mark,
    pub(super) rules: Rules,
    /// The last message that it does not get.
    pub(super) last: i64,
}

/// What a channel has for a consumer.
#[derive(Debug)]
pub(super) struct Handed {
    pub(super) taken: Vec<Taken>,
    /// As receipts name the channel.
    pub(super) channel: i64,
    pub(super) run: u64,
    pub(super) visibility_ms: u64,
    pub(super) arrived: Arc<Notify>,
    /// There is more on disk, to be read by whoever is told this.
    pub(super) wants: bool,
    /// It is being read.
    pub(super) loading: bool,
}

#[derive(Debug)]
pub(super) struct Core {
    limits: Limits,
    run: u64,
    topics: HashMap<String, Topic>,
    deliveries: u64,
    arrivals: i64,
    /// How far channels have handed out their messages, where the disk does not know it yet.
    delivered: HashMap<(i64, Mark), i64>,
    /// When somebody looks what is due.
    alarm: Option<Instant>,
    earlier: bool,
}

impl Core {
    pub(super) fn new(limits: Limits, run: u64) -> Self {
        Self {
            limits,
            run,
            topics: HashMap::new(),
            deliveries: 0,
            arrivals: 0,
            delivered: HashMap::new(),
            alarm: None,
            earlier: false,
        }
    }

    /// A topic as an earlier run left it.
    pub(super) fn resume(&mut self, saved: Saved, now: Instant) {
        let Saved { number, name, last, messages, bytes, channels } = saved;
        let mut topic = Topic { last, messages, bytes, ..Topic::new(Some(number)) };
        for SavedChannel { name, mark, rules, waiting, delivered, held } in channels {
            let mut channel = Channel::new(rules, Some(mark), self.limits, last, now);
            // Dead letters do not come in their order: none of them is passed over.
            channel.resume(waiting, if mark.dead { Topic::start(number) } else { delivered }, &held, now);
            topic.channels.insert(name, channel);
        }
        self.topics.insert(name, topic);
    }

    /// Makes a channel if that is done in memory. What else is to be written first.
    pub(super) fn declare(&mut self, place: &Place, rules: Rules, now: Instant) -> Result<Option<Declared>, Error> {
        check_rules(&rules)?;
        let topics = self.topics.len();
        let found = self.topics.get_mut(&place.topic);
        if found.is_none() && topics >= self.limits.topics {
            return Err(Error::full(format!("there are {topics} topics, as many as there may be")));
        }
        if let Some(channel) = found.and_then(|topic| topic.channels.get_mut(&place.channel)) {
            let kept = channel.mark().is_some();
            if kept != rules.kept {
                let is = if kept { "is kept" } else { "is not kept" };
                return Err(Error::bad(format!("channel {place} {is}, and cannot be otherwise")));
            }
            channel.ask(now);
            if !kept {
                channel.set_rules(rules);
            }
            if channel.rules() == rules {
                return Ok(None);
            }
        }
        if rules.kept { self.plan(place, rules).map(Some) } else { self.add_unkept(place, rules, now).map(|()| None) }
    }

    fn plan(&self, place: &Place, rules: Rules) -> Result<Declared, Error> {
        check_name("channel of dead letters", &dead_letters(&place.channel)).map_err(Error::bad)?;
        let next = self.topics.values().filter_map(|topic| topic.number).max().map_or(1, |number| number + 1);
        let new = Topic::new(None);
        let found = self.topics.get(&place.topic).unwrap_or(&new);
        let (topic, last) = match found.number {
            Some(number) => (number, found.last),
            None => (next, Topic::new(Some(next)).last),
        };
        let mark = match found.channels.get(&place.channel).and_then(Channel::mark) {
            Some(mark) => mark,
            None => found.place_for(&place.channel)?,
        };
        Ok(Declared { topic, mark, rules, last })
    }

    fn add_unkept(&mut self, place: &Place, rules: Rules, now: Instant) -> Result<(), Error> {
        if place.channel.starts_with("dead-") {
            return Err(Error::bad("dead letters are kept"));
        }
        let topic = self.topics.entry(place.topic.clone()).or_insert_with(|| Topic::new(None));
        topic.add_unkept(&place.channel, rules, self.limits, now)?;
        self.due(place);
        Ok(())
    }

    /// A kept channel was written.
    pub(super) fn declared(&mut self, place: &Place, declared: Declared, now: Instant) {
        let Declared { topic: number, mark, rules, last } = declared;
        let limits = self.limits;
        let topic = self.topics.entry(place.topic.clone()).or_insert_with(|| Topic::new(None));
        if topic.number.is_none() {
            (topic.number, topic.last) = (Some(number), last);
        }
        let new = || Channel::new(rules, Some(mark), limits, last, now);
        topic.channels.entry(place.channel.clone()).or_insert_with(new).set_rules(rules);
    }

    /// Publishes a message that no kept channel gets, or says that it is to be written.
    pub(super) fn publish_unkept(&mut self, envelope: Arc<Envelope>) -> Result<Published, Arc<Envelope>> {
        let Some(topic) = self.topics.get_mut(&envelope.topic) else { return Ok(unknown(&envelope.topic)) };
        match topic.kept_of(&envelope) {
            Ok((0, 0)) => Ok(topic.publish_unkept(&envelope, &mut self.arrivals)),
            Ok(_) => Err(envelope),
            Err(refused) => Ok(refused),
        }
    }

    /// Takes a place for a message that is to be written.
    pub(super) fn admit(&mut self, envelope: &Envelope) -> Result<Admission, Published> {
        let topic = self.topics.get_mut(&envelope.topic).ok_or_else(|| unknown(&envelope.topic))?;
        topic.admit(envelope, &self.limits)
    }

    /// Gives the place back: the message was not written.
    pub(super) fn release(&mut self, topic: &str, bytes: usize) {
        if let Some(topic) = self.topics.get_mut(topic) {
            topic.release(bytes);
        }
    }

    /// A message was written: its channels get it.
    pub(super) fn push(&mut self, admission: Admission, message: &Arc<Envelope>) {
        if let Some(topic) = self.topics.get_mut(&message.topic) {
            topic.push(admission, message, &mut self.arrivals);
        }
    }

    /// Hands out at most so many messages of a channel.
    pub(super) fn take(&mut self, place: &Place, most: usize, now: Instant) -> Result<Handed, Error> {
        let topic = self.topics.get_mut(&place.topic).ok_or_else(|| no_channel(place))?;
        let number = topic.number;
        let channel = topic.channels.get_mut(&place.channel).ok_or_else(|| no_channel(place))?;
        channel.ask(now);
        let taken = channel.take(most, now, self.run, &mut self.deliveries);
        if let (false, Some(number), Some(mark @ Mark { dead: false, .. })) = (taken.is_empty(), number, channel.mark())
        {
            self.delivered.insert((number, mark), channel.delivered());
        }
        let (run, visibility_ms) = (self.run, channel.rules().visibility_ms);
        let (arrived, wants, loading) = (channel.arrived(), channel.wants(), channel.is_loading());
        let handed =
            Handed { taken, channel: Receipt::channel(channel.mark()), run, visibility_ms, arrived, wants, loading };
        self.due(place);
        Ok(handed)
    }

    /// How far channels have handed out their messages, as the disk should know.
    pub(super) fn delivered(&mut self) -> HashMap<(i64, Mark), i64> {
        std::mem::take(&mut self.delivered)
    }

    /// The disk does not know it: that could not be written.
    pub(super) fn not_delivered(&mut self, delivered: HashMap<(i64, Mark), i64>) {
        for (channel, last) in delivered {
            let known = self.delivered.entry(channel).or_insert(last);
            *known = last.max(*known);
        }
    }

    /// Is a channel kept?
    pub(super) fn is_kept(&self, place: &Place) -> Result<bool, Error> {
        let channel = self.topics.get(&place.topic).and_then(|topic| topic.channels.get(&place.channel));
        channel.map(|channel| channel.mark().is_some()).ok_or_else(|| no_channel(place))
    }

    /// Settles a delivery: whether it counts, and what is to be written first.
    pub(super) fn settle(
        &mut self,
        place: &Place,
        settlement: &Settlement,
        now: Instant,
    ) -> Result<(bool, Option<Change>), Error> {
        let topic = self.topics.get_mut(&place.topic).ok_or_else(|| no_channel(place))?;
        let channel = topic.channels.get_mut(&place.channel).ok_or_else(|| no_channel(place))?;
        let Ok(receipt) = settlement.receipt.parse::<Receipt>() else { return Ok((false, None)) };
        if receipt.channel != Receipt::channel(channel.mark()) {
            return Ok((false, None));
        }
        // What is not kept was delivered once, and will not be again, whatever is said of it.
        let Some(mark) = channel.mark() else { return Ok((true, None)) };
        if topic.number != Some(Topic::of(receipt.seq)) {
            return Ok((false, None));
        }
        let done = match channel.settle(receipt, settlement.verdict, now) {
            Step::Write(write) => (true, Some(change(channel, place, mark, receipt.seq, write))),
            Step::Settled(counts) => (counts, None),
        };
        self.due(place);
        Ok(done)
    }

    /// A change was written. The message's bytes, if it is gone by that.
    pub(super) fn wrote(&mut self, change: &Change, gone: Option<usize>) {
        let limits = self.limits;
        let Some(topic) = self.topics.get_mut(&change.place.topic) else { return };
        if let Some(bytes) = gone {
            topic.release(bytes);
        }
        let Some(channel) = topic.channels.get_mut(&change.place.channel) else { return };
        match change.write {
            Write::Leave => channel.left(change.seq),
            Write::Tries(_) => {}
            Write::Bury => {
                channel.left(change.seq);
                channel.counts.dead += 1;
                let now = channel.asked();
                let mark = Mark { dead: true, ..change.mark };
                let new = || Channel::new(DEAD_RULES, Some(mark), limits, change.seq - 1, now);
                topic.channels.entry(dead_letters(&change.place.channel)).or_insert_with(new).push_unread(change.seq);
            }
        }
    }

    /// Of which topic, which channel, and from where on messages are to be read.
    pub(super) fn scanned(&self, place: &Place) -> Option<(i64, Mark, i64)> {
        let topic = self.topics.get(&place.topic)?;
        let channel = topic.channels.get(&place.channel)?;
        Some((topic.number?, channel.mark()?, channel.scanned()))
    }

    /// What was read: all there was up to `scanned`, or all; or nothing could be read.
    pub(super) fn refill(&mut self, place: &Place, read: Option<(Vec<Loaded>, i64, bool)>) {
        let topic = self.topics.get_mut(&place.topic);
        let Some(channel) = topic.and_then(|topic| topic.channels.get_mut(&place.channel)) else { return };
        match read {
            Some((loaded, scanned, complete)) => channel.refill(loaded, scanned, complete),
            None => channel.not_refilled(),
        }
    }

    /// Makes ready what is due by now, and lets go of abandoned channels. What of it is to be written.
    pub(super) fn expire(&mut self, now: Instant) -> Vec<Change> {
        let mut changes = Vec::new();
        for (name, topic) in &mut self.topics {
            topic.channels.retain(|_, channel| channel.gone_at().is_none_or(|at| at > now));
            for (channel_name, channel) in &mut topic.channels {
                let expired = channel.expire(now);
                let Some(mark) = channel.mark() else { continue };
                let place = Place { topic: name.clone(), channel: channel_name.clone() };
                changes.extend(expired.into_iter().map(|(seq, write)| change(channel, &place, mark, seq, write)));
            }
        }
        self.topics.retain(|_, topic| !topic.channels.is_empty());
        changes
    }

    /// When [`expire`](Self::expire) has something to do next. Whoever asks is told should it be earlier.
    pub(super) fn next_due(&mut self) -> Option<Instant> {
        let channels = self.topics.values().flat_map(|topic| topic.channels.values());
        self.alarm = channels.filter_map(Channel::next_due).min();
        self.earlier = false;
        self.alarm
    }

    /// Is something due earlier than [`next_due`](Self::next_due) said?
    pub(super) fn is_earlier(&mut self) -> bool {
        std::mem::take(&mut self.earlier)
    }

    fn due(&mut self, place: &Place) {
        let channel = self.topics.get(&place.topic).and_then(|topic| topic.channels.get(&place.channel));
        if let Some(at) = channel.and_then(Channel::next_due)
            && self.alarm.is_none_or(|alarm| at < alarm)
        {
            (self.alarm, self.earlier) = (Some(at), true);
        }
    }

    pub(super) fn view(&self) -> Vec<TopicView> {
        let mut views: Vec<_> = self.topics.iter().map(|(name, topic)| topic.view(name)).collect();
        views.sort_unstable_by(|a, b| a.topic.cmp(&b.topic));
        views
    }
}

fn change(channel: &Channel, place: &Place, mark: Mark, seq: i64, write: Write) -> Change {
    let (bytes, tried) = channel.known(seq).map_or((None, true), |(bytes, tries)| (Some(bytes), tries > 0));
    Change { place: place.clone(), mark, seq, write, bytes, tried }
}

fn unknown(topic: &str) -> Published {
    Published::Unknown(format!("there is no topic {topic}: nobody has declared a channel of it"))
}

fn no_channel(place: &Place) -> Error {
    Error::unknown(format!("there is no channel {place}: nobody has declared it"))
}
