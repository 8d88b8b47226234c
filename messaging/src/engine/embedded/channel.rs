//! What is known of one channel's messages without looking at the disk, as a pure function of time.
//!
//! A message is ready, out with a consumer, waiting for its back-off, or leaving. Of those that are ready, only the
//! first ones are here: whatever is on disk beyond `scanned` is read when there is room.

mod entry;
mod settle;

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use mainstay::contracts::Envelope;
use mainstay::contracts::hub::Rules;
use tokio::sync::Notify;
use tokio::time::Instant;

use self::entry::{Entry, State};
pub(super) use self::settle::{Step, Write};
use super::limits::{ABANDONED, Limits, RECEIVED, WINDOW};

/// Where a kept channel is noted in its topic's messages: a bit in the word of copies, or in that of dead letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Mark {
    pub(super) bit: u32,
    pub(super) dead: bool,
}

/// A message as it is handed out.
#[derive(Debug)]
pub(super) struct Taken {
    pub(super) seq: i64,
    pub(super) delivery: u64,
    pub(super) attempt: u32,
    /// None if it has to be read from the disk.
    pub(super) message: Option<Arc<Envelope>>,
}

/// A message as it was read from the disk.
#[derive(Debug)]
pub(super) struct Loaded {
    pub(super) seq: i64,
    pub(super) bytes: usize,
    pub(super) tries: u32,
    pub(super) message: Arc<Envelope>,
}

/// What came of a channel's messages since the engine was opened.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Counts {
    pub(super) delivered: u64,
    pub(super) redelivered: u64,
    pub(super) dead: u64,
}

#[derive(Debug)]
pub(super) struct Channel {
    pub(super) counts: Counts,
    rules: Rules,
    mark: Option<Mark>,
    limits: Limits,
    entries: HashMap<i64, Entry>,
    ready: BTreeSet<i64>,
    due: BTreeSet<(Instant, i64)>,
    /// Messages of it that there are, in memory or not.
    waiting: u64,
    /// Bytes of messages in memory.
    bytes: usize,
    /// Every message up to this one is here, or gone.
    scanned: i64,
    /// And so is every later one.
    complete: bool,
    loading: bool,
    /// The last message that was handed out. All before it were, or are gone.
    delivered: i64,
    arrived: Arc<Notify>,
    asked: Instant,
}

impl Channel {
    pub(super) fn new(rules: Rules, mark: Option<Mark>, limits: Limits, last: i64, now: Instant) -> Self {
        Self {
            counts: Counts::default(),
            rules,
            mark,
            limits,
            entries: HashMap::new(),
            ready: BTreeSet::new(),
            due: BTreeSet::new(),
            waiting: 0,
            bytes: 0,
            scanned: last,
            complete: true,
            loading: false,
            delivered: last,
            arrived: Arc::default(),
            asked: now,
        }
    }

    /// As it was left by an earlier run: what had been handed out may still be with its consumers, and stays invisible
    /// for as long as they may take.
    pub(super) fn resume(&mut self, waiting: u64, delivered: i64, held: &[(i64, u32, usize)], now: Instant) {
        let until = now + self.visibility();
        for &(seq, tries, bytes) in held {
            self.entries.insert(seq, Entry { tries, bytes, state: State::Later(until), message: None });
            self.due.insert((until, seq));
        }
        (self.waiting, self.scanned, self.delivered) = (waiting, delivered, delivered);
        self.complete = waiting == held.len() as u64;
    }

    pub(super) fn rules(&self) -> Rules {
        self.rules
    }

    pub(super) fn set_rules(&mut self, rules: Rules) {
        self.rules = rules;
    }

    /// None if it is not kept.
    pub(super) fn mark(&self) -> Option<Mark> {
        self.mark
    }

    pub(super) fn waiting(&self) -> u64 {
        self.waiting
    }

    pub(super) fn in_flight(&self) -> u64 {
        self.entries.values().filter(|entry| !matches!(entry.state, State::Ready)).count() as u64
    }

    /// Every message up to this one has been read from the disk.
    pub(super) fn scanned(&self) -> i64 {
        self.scanned
    }

    /// Told when there is something to be had.
    pub(super) fn arrived(&self) -> Arc<Notify> {
        Arc::clone(&self.arrived)
    }

    /// Notes that somebody consumes it.
    pub(super) fn ask(&mut self, now: Instant) {
        self.asked = now;
    }

    pub(super) fn asked(&self) -> Instant {
        self.asked
    }

    /// When it is gone, unless it is kept or somebody asks.
    pub(super) fn gone_at(&self) -> Option<Instant> {
        self.mark.is_none().then(|| self.asked + ABANDONED)
    }

    pub(super) fn next_due(&self) -> Option<Instant> {
        self.due.first().map(|&(at, _)| at).into_iter().chain(self.gone_at()).min()
    }

    /// Is there room in a channel that is not kept?
    pub(super) fn has_room(&self, bytes: usize) -> bool {
        let Limits { unkept, unkept_bytes, .. } = self.limits;
        self.mark.is_some() || (self.entries.len() < unkept && self.bytes + bytes <= unkept_bytes)
    }

    /// Gets a message.
    pub(super) fn push(&mut self, seq: i64, tries: u32, bytes: usize, message: Arc<Envelope>) {
        self.waiting += 1;
        let room = self.mark.is_none() || (self.ready.len() < WINDOW.0 && self.bytes + bytes <= WINDOW.1);
        if room && (self.complete || seq <= self.scanned) {
            self.scanned = self.scanned.max(seq);
            self.insert(seq, tries, bytes, message);
        } else {
            self.complete = false;
            self.scanned = self.scanned.min(seq - 1);
        }
        self.arrived.notify_one();
    }

    fn insert(&mut self, seq: i64, tries: u32, bytes: usize, message: Arc<Envelope>) {
        self.bytes += bytes;
        self.entries.insert(seq, Entry { tries, bytes, state: State::Ready, message: Some(message) });
        self.ready.insert(seq);
    }

    /// Is more to be read from the disk now? Whoever is told so does it.
    pub(super) fn wants(&mut self) -> bool {
        let wants = !self.complete && !self.loading && self.ready.len() < WINDOW.0 / 2;
        self.loading |= wants;
        wants
    }

    /// Is more being read?
    pub(super) fn is_loading(&self) -> bool {
        self.loading
    }

    /// What was read from the disk: all there was up to `scanned`, or all.
    pub(super) fn refill(&mut self, loaded: Vec<Loaded>, scanned: i64, complete: bool) {
        (self.loading, self.scanned, self.complete) = (false, scanned, complete);
        for Loaded { seq, tries, bytes, message } in loaded {
            if !self.entries.contains_key(&seq) {
                self.insert(seq, tries, bytes, message);
            }
        }
        self.arrived.notify_one();
    }

    /// Nothing could be read.
    pub(super) fn not_refilled(&mut self) {
        self.loading = false;
        self.arrived.notify_one();
    }

    /// Hands out at most so many messages. Each delivery gets the next number.
    pub(super) fn take(&mut self, most: usize, now: Instant, run: u64, deliveries: &mut u64) -> Vec<Taken> {
        let (until, mut bytes) = (now + self.visibility(), 0);
        let mut taken = Vec::new();
        while taken.len() < most && self.may_go_out() {
            let Some(&seq) = self.ready.first() else { break };
            let Some(entry) = self.entries.get_mut(&seq) else { break };
            bytes += entry.bytes;
            if bytes > RECEIVED && !taken.is_empty() {
                break;
            }
            self.ready.remove(&seq);
            *deliveries += 1;
            self.counts.delivered += 1;
            self.counts.redelivered += u64::from(entry.tries > 0);
            // It is on disk, should it have to be delivered again.
            let message = entry.message.take().inspect(|_| self.bytes -= entry.bytes);
            taken.push(Taken { seq, delivery: *deliveries, attempt: entry.tries + 1, message });
            self.delivered = self.delivered.max(seq);
            if self.mark.is_some() {
                entry.state = State::Out { run, delivery: *deliveries, until };
                self.due.insert((until, seq));
            } else {
                // It is delivered once: whoever waits for a reply does not settle it, and nobody else wants it.
                self.entries.remove(&seq);
                self.waiting -= 1;
            }
        }
        // Whoever is told of what may not go out would ask again at once, and be told again.
        if !self.ready.is_empty() && self.may_go_out() {
            self.arrived.notify_one();
        }
        taken
    }

    /// Is there room for one more in flight?
    fn may_go_out(&self) -> bool {
        self.entries.len() - self.ready.len() < self.limits.in_flight
    }

    /// The bytes of a message, and how often it could not be consumed; none if it is not in memory.
    pub(super) fn known(&self, seq: i64) -> Option<(usize, u32)> {
        self.entries.get(&seq).map(|entry| (entry.bytes, entry.tries))
    }

    /// The last message that was handed out.
    pub(super) fn delivered(&self) -> i64 {
        self.delivered
    }

    /// Gets a message that is on disk only.
    pub(super) fn push_unread(&mut self, seq: i64) {
        self.waiting += 1;
        self.complete = false;
        self.scanned = self.scanned.min(seq - 1);
        self.arrived.notify_one();
    }

    /// A message has left.
    pub(super) fn left(&mut self, seq: i64) {
        if let Some(entry) = self.entries.remove(&seq) {
            self.forget(seq, &entry);
        }
        self.waiting = self.waiting.saturating_sub(1);
        // There is room for another one in flight.
        if !self.ready.is_empty() {
            self.arrived.notify_one();
        }
    }

    fn forget(&mut self, seq: i64, entry: &Entry) {
        match entry.state.until() {
            Some(until) => self.due.remove(&(until, seq)),
            None => self.ready.remove(&seq),
        };
        if entry.message.is_some() {
            self.bytes -= entry.bytes;
        }
    }
}
