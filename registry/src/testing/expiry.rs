//! When instances may be silent and gone, and when they must be.

use std::collections::BTreeMap;
use std::time::Duration;

use mainstay_contracts::registry::{GoneReason, InstanceId, Presence, WatchFrame};
use tokio::time::Instant;

use crate::clock::LONGEST;

/// How long leases last.
#[derive(Debug, Clone)]
pub struct Terms {
    /// Without a beat for this long, an instance is silent.
    pub silent_after: Duration,
    /// Silent for this long, it is gone, or suspect.
    pub gone_after: Duration,
    /// What it has beyond that after a restart.
    pub grace: Duration,
    /// By so much everything may be late, what a watcher is told too.
    pub late: Duration,
}

/// What was said by instances of one service, and when; and so what one watcher may be told of them.
#[derive(Debug)]
pub struct Expiry {
    terms: Terms,
    lives: BTreeMap<InstanceId, Life>,
    /// In order.
    away: Vec<Away>,
}

#[derive(Debug, Default)]
struct Life {
    /// When it was sent, and when it was answered.
    beats: Vec<(Instant, Instant)>,
    stage: Stage,
}

/// How far it has come on the way out.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    #[default]
    Up,
    Silent,
    /// Gone by time, or suspect.
    Lapsed,
    /// By what somebody said.
    Left,
}

impl Stage {
    fn of(presence: Presence) -> Self {
        match presence {
            Presence::Silent => Self::Silent,
            Presence::Suspect => Self::Lapsed,
            Presence::Up | Presence::Draining | Presence::Gone => Self::Up,
        }
    }
}

#[derive(Debug)]
struct Away {
    from: Instant,
    to: Instant,
    restarted: bool,
}

impl Expiry {
    /// Nobody has said anything yet.
    pub fn new(terms: Terms) -> Self {
        Self { terms, lives: BTreeMap::new(), away: Vec::new() }
    }

    /// An instance was registered or has beaten: sent then, and answered then.
    pub fn beaten(&mut self, id: &InstanceId, sent: Instant, answered: Instant) {
        let life = self.lives.entry(id.clone()).or_default();
        life.beats.push((sent, answered));
        if life.stage == Stage::Left {
            life.stage = Stage::Up;
        }
    }

    /// The registry stood still, and its clock with it.
    pub fn stood_still(&mut self, from: Instant, to: Instant) {
        self.away.push(Away { from, to, restarted: false });
    }

    /// The registry was killed, and is back: everybody has a whole lease again, and the grace.
    pub fn restarted(&mut self, from: Instant, to: Instant) {
        self.away.push(Away { from, to, restarted: true });
    }

    /// A watcher was told something.
    ///
    /// # Panics
    /// When it is the expiry of somebody who must have been there during all of the time that it may have happened in.
    #[track_caller]
    pub fn saw(&mut self, frame: &WatchFrame, at: Instant) {
        match frame {
            WatchFrame::Snapshot(listing) => {
                let (listed, lives) = (&listing.instances, self.lives.iter_mut());
                // Why they are not on it is not told.
                lives.for_each(|(_, life)| life.stage = Stage::Left);
                listed.iter().for_each(|listed| self.came_to(&listed.instance.id, Stage::of(listed.presence), at));
            }
            WatchFrame::Changed { listed, .. } => {
                self.came_to(&listed.instance.id, Stage::of(listed.presence), at);
            }
            WatchFrame::Gone { id, why: GoneReason::Silent, .. } => self.came_to(id, Stage::Lapsed, at),
            WatchFrame::Gone { id, .. } => self.came_to(id, Stage::Left, at),
            _ => {}
        }
    }

    #[track_caller]
    fn came_to(&mut self, id: &InstanceId, stage: Stage, at: Instant) {
        if matches!(stage, Stage::Silent | Stage::Lapsed) {
            assert!(!self.is_early(id, stage, at), "{id} is {stage:?} early: {:?}", self.lives.get(id));
        }
        self.lives.entry(id.clone()).or_default().stage = stage;
    }

    /// Did it beat so that there is no instant, of those that this may have happened at, when it was due?
    fn is_early(&self, id: &InstanceId, stage: Stage, at: Instant) -> bool {
        let Some(life) = self.lives.get(id).filter(|life| !life.beats.is_empty()) else { return false };
        let mut covered = at.checked_sub(self.terms.late).unwrap_or(at);
        for (number, (sent, answered)) in life.beats.iter().enumerate() {
            // The first one made it: there was nothing to expire before.
            let from = if number == 0 { covered.min(*answered) } else { *answered };
            if from <= covered {
                covered = covered.max(self.earliest(*sent, stage));
            }
        }
        at < covered
    }

    fn lease(&self, stage: Stage) -> Duration {
        self.terms.silent_after + if stage == Stage::Lapsed { self.terms.gone_after } else { Duration::ZERO }
    }

    /// Before this instant, whoever beat no earlier than at `sent` may not have come to the stage.
    fn earliest(&self, sent: Instant, stage: Stage) -> Instant {
        self.away.iter().filter(|away| away.from >= sent).fold(sent + self.lease(stage), |due, away| match away {
            Away { from, .. } if *from >= due => due,
            Away { from, restarted: true, .. } => *from + self.lease(stage) + self.terms.grace,
            Away { from, to, .. } => due + (*to - *from).saturating_sub(LONGEST),
        })
    }

    /// After this instant, whoever beat no later than at `answered` must have come to the stage.
    fn latest(&self, answered: Instant, stage: Stage) -> Instant {
        let due = answered + self.lease(stage) + self.terms.late;
        self.away.iter().filter(|away| away.to >= answered).fold(due, |due, away| match away {
            Away { from, .. } if *from >= due => due,
            Away { to, restarted: true, .. } => due.max(*to + self.lease(stage) + self.terms.grace + self.terms.late),
            Away { from, to, .. } => due + (*to - *from),
        })
    }

    /// Holds against it that nothing else was told until now.
    ///
    /// # Panics
    /// When somebody should have been told to be silent, suspect or gone, and was not.
    #[track_caller]
    pub fn nobody_is_late(&self, now: Instant) {
        for (id, life) in &self.lives {
            let Some((_, answered)) = life.beats.last() else { continue };
            for stage in [Stage::Silent, Stage::Lapsed] {
                let due = self.latest(*answered, stage);
                assert!(life.stage >= stage || now <= due, "{id} is not {stage:?} yet: {life:?}");
            }
        }
    }

    /// How many were told to be gone by time, or suspect, and not to be back.
    pub fn lapsed(&self) -> usize {
        self.lives.values().filter(|life| life.stage == Stage::Lapsed).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// An instance that was registered at 0, with a lease of 10 and 20 seconds; and 0.
    fn some() -> (Expiry, Instant) {
        let terms = Terms { silent_after: 10 * SECOND, gone_after: 20 * SECOND, grace: 5 * SECOND, late: SECOND };
        let (mut expiry, begin) = (Expiry::new(terms), Instant::now() + 1000 * SECOND);
        expiry.beaten(&id(), begin, begin);
        (expiry, begin)
    }

    fn id() -> InstanceId {
        "a".parse().unwrap()
    }

    fn listed(presence: &str) -> WatchFrame {
        let rest = r#""number":1,"address":"127.0.0.1:1","incarnation":9"#;
        let json = format!(r#"{{"type":"changed","revision":1,"id":"a","presence":"{presence}",{rest}}}"#);
        serde_json::from_str(&json).unwrap()
    }

    fn gone(why: GoneReason) -> WatchFrame {
        WatchFrame::Gone { revision: 2, id: id(), why }
    }

    fn is_early(expiry: &Expiry, stage: Stage, at: Instant) -> bool {
        expiry.is_early(&id(), stage, at)
    }

    #[test]
    fn in_time_is_in_time() {
        let (mut expiry, begin) = some();
        expiry.nobody_is_late(begin + 11 * SECOND);
        expiry.saw(&listed("silent"), begin + 10 * SECOND);
        expiry.nobody_is_late(begin + 31 * SECOND);
        expiry.saw(&gone(GoneReason::Silent), begin + 30 * SECOND);
        expiry.nobody_is_late(begin + 1000 * SECOND);
        assert_eq!(expiry.lapsed(), 1);
    }

    #[test]
    fn who_is_told_to_leave_is_never_late_or_early() {
        let (mut expiry, begin) = some();
        expiry.saw(&gone(GoneReason::Left), begin);
        expiry.nobody_is_late(begin + 1000 * SECOND);
        assert_eq!(expiry.lapsed(), 0);
    }

    #[test]
    #[should_panic(expected = "a is Silent early")]
    fn silent_early() {
        let (mut expiry, begin) = some();
        expiry.saw(&listed("silent"), begin + SECOND * 9);
    }

    #[test]
    #[should_panic(expected = "a is Lapsed early")]
    fn gone_early() {
        let (mut expiry, begin) = some();
        expiry.saw(&listed("silent"), begin + 10 * SECOND);
        expiry.saw(&gone(GoneReason::Silent), begin + 29 * SECOND);
    }

    #[test]
    #[should_panic(expected = "a is not Silent yet")]
    fn silent_late() {
        let (expiry, begin) = some();
        expiry.nobody_is_late(begin + 12 * SECOND);
    }

    #[test]
    #[should_panic(expected = "a is not Lapsed yet")]
    fn gone_late() {
        let (mut expiry, begin) = some();
        expiry.saw(&listed("silent"), begin + 10 * SECOND);
        expiry.nobody_is_late(begin + 32 * SECOND);
    }

    #[test]
    fn who_beats_all_the_time_is_early_and_who_paused_may_have_been_told_late() {
        let (mut expiry, begin) = some();
        for second in [5, 9] {
            expiry.beaten(&id(), begin + second * SECOND, begin + second * SECOND);
        }
        assert!(is_early(&expiry, Stage::Silent, begin + 10 * SECOND));
        assert!(is_early(&expiry, Stage::Silent, begin + 18 * SECOND));
        assert!(!is_early(&expiry, Stage::Silent, begin + 19 * SECOND));
        // Silent at 19, which is told at 20, when it has beaten again.
        expiry.beaten(&id(), begin + 39 * SECOND / 2, begin + 39 * SECOND / 2);
        assert!(!is_early(&expiry, Stage::Silent, begin + 20 * SECOND));
        assert!(is_early(&expiry, Stage::Silent, begin + 21 * SECOND));
    }

    #[test]
    fn while_the_registry_stands_still_no_time_passes() {
        let (mut expiry, begin) = some();
        expiry.stood_still(begin + 5 * SECOND, begin + 25 * SECOND);
        assert!(is_early(&expiry, Stage::Silent, begin + 28 * SECOND));
        assert!(!is_early(&expiry, Stage::Silent, begin + 29 * SECOND), "a second of it counts");
        expiry.nobody_is_late(begin + 31 * SECOND);
    }

    #[test]
    fn after_a_restart_everybody_has_a_lease_and_the_grace() {
        let (mut expiry, begin) = some();
        expiry.restarted(begin + 5 * SECOND, begin + 8 * SECOND);
        assert!(is_early(&expiry, Stage::Silent, begin + 19 * SECOND));
        assert!(!is_early(&expiry, Stage::Silent, begin + 20 * SECOND));
        expiry.nobody_is_late(begin + 24 * SECOND);
    }
}
