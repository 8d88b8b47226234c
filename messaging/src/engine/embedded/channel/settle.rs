//! What becomes of a message that was handed out: by its consumer's word, or when its time is over.

use std::time::Duration;

use mainstay::contracts::hub::Verdict;
use tokio::time::Instant;

use super::super::limits::backoff;
use super::super::receipt::Receipt;
use super::Channel;
use super::entry::State;

/// What follows from a settlement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Step {
    /// Nothing is to be written.
    Settled(bool),
    /// This is to be written first.
    Write(Write),
}

/// A change of one message of a kept channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Write {
    /// The channel lets go of it.
    Leave,
    /// It goes to the channel's dead letters.
    Bury,
    /// It could not be consumed so many times by now.
    Tries(u32),
}

impl Channel {
    /// Settles a delivery of a kept channel. It counts unless somebody else has the message, or will have it.
    pub(in super::super) fn settle(&mut self, receipt: Receipt, verdict: Verdict, now: Instant) -> Step {
        let Receipt { run, seq, delivery, .. } = receipt;
        let Some(entry) = self.entries.get(&seq) else { return self.settle_unseen(seq, verdict) };
        match entry.state {
            State::Out { run: r, delivery: d, .. } if (r, d) != (run, delivery) => Step::Settled(false),
            State::Leaving(_) => Step::Settled(true),
            _ => match verdict {
                Verdict::Ack => Step::Write(self.leave(seq, Write::Leave, now)),
                Verdict::Reject if !self.is_dead() => Step::Write(self.leave(seq, Write::Bury, now)),
                Verdict::Nack | Verdict::Reject => Step::Write(self.fail(seq, now)),
                Verdict::Extend => {
                    self.turn(seq, State::Out { run, delivery, until: now + self.visibility() });
                    Step::Settled(true)
                }
            },
        }
    }

    /// A message that is gone is done. One that has not been read from the disk yet was handed out by an earlier run.
    fn settle_unseen(&self, seq: i64, verdict: Verdict) -> Step {
        match verdict {
            _ if seq <= self.scanned || self.complete => Step::Settled(true),
            Verdict::Ack => Step::Write(Write::Leave),
            Verdict::Reject if !self.is_dead() => Step::Write(Write::Bury),
            Verdict::Nack | Verdict::Reject | Verdict::Extend => Step::Settled(false),
        }
    }

    /// Makes ready what is due by now; what of it is to be written.
    pub(in super::super) fn expire(&mut self, now: Instant) -> Vec<(i64, Write)> {
        let mut writes = Vec::new();
        while let Some(&(_, seq)) = self.due.first().filter(|(at, _)| *at <= now) {
            match self.entries.get(&seq).map(|entry| entry.state) {
                Some(State::Out { .. }) => writes.push((seq, self.time_out(seq, now))),
                Some(_) => self.turn(seq, State::Ready),
                None => drop(self.due.pop_first()),
            }
        }
        writes
    }

    /// It could not be consumed.
    fn fail(&mut self, seq: i64, now: Instant) -> Write {
        let (tries, exhausted) = self.count(seq);
        if exhausted {
            return self.leave(seq, Write::Bury, now);
        }
        match backoff(&self.rules, tries) {
            Duration::ZERO => self.turn(seq, State::Ready),
            wait => self.turn(seq, State::Later(now + wait)),
        }
        Write::Tries(tries)
    }

    /// Whoever had it has said nothing. It has waited long enough.
    fn time_out(&mut self, seq: i64, now: Instant) -> Write {
        let (tries, exhausted) = self.count(seq);
        if exhausted {
            return self.leave(seq, Write::Bury, now);
        }
        self.turn(seq, State::Ready);
        Write::Tries(tries)
    }

    fn count(&mut self, seq: i64) -> (u32, bool) {
        let tries = self.entries.get_mut(&seq).map_or(0, |entry| {
            entry.tries = entry.tries.saturating_add(1);
            entry.tries
        });
        (tries, self.rules.tries > 0 && tries >= self.rules.tries && !self.is_dead())
    }

    fn leave(&mut self, seq: i64, write: Write, now: Instant) -> Write {
        self.turn(seq, State::Leaving(now + self.visibility()));
        write
    }

    fn turn(&mut self, seq: i64, to: State) {
        let Some(entry) = self.entries.get_mut(&seq) else { return };
        let from = std::mem::replace(&mut entry.state, to);
        match from.until() {
            Some(until) => self.due.remove(&(until, seq)),
            None => self.ready.remove(&seq),
        };
        match to.until() {
            Some(until) => self.due.insert((until, seq)),
            None => {
                self.arrived.notify_one();
                self.ready.insert(seq)
            }
        };
    }

    fn is_dead(&self) -> bool {
        self.mark.is_some_and(|mark| mark.dead)
    }

    pub(super) fn visibility(&self) -> Duration {
        Duration::from_millis(self.rules.visibility_ms)
    }
}
