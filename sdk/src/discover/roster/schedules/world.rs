//! A client's roster, the calls that are out, and whatever may happen to them.

use std::sync::Arc;
use std::time::Duration;

use fastrand::Rng;
use mainstay_contracts::registry::{GoneReason, Instance, Listed, Listing, Presence};
use tokio::time::Instant;

use super::checks::Watched;
use super::stretch::Stretch;
use crate::breaker::{Outcome, Probe, Rules, Transition};
use crate::discover::{Noted, Roster};
use crate::instance::{Admission, InstanceState};
use crate::transport::Network;

pub(super) const DELAY: Duration = Duration::from_secs(30);
pub(super) const LEASE: Duration = Duration::from_secs(2);
const PRESENCES: [Presence; 4] = [Presence::Up, Presence::Silent, Presence::Suspect, Presence::Draining];
const OUTCOMES: [Outcome; 3] = [Outcome::Success, Outcome::Failure, Outcome::Timeout];
/// Around everything that is due some time.
const WAITS: [Duration; 8] = [
    Duration::from_nanos(1),
    Duration::from_millis(1),
    Duration::from_millis(1_999),
    LEASE,
    Duration::from_secs(15),
    Duration::from_nanos(29_999_999_999),
    DELAY,
    Duration::from_secs(600),
];

pub(super) struct World {
    pub(super) rng: Rng,
    pub(super) roster: Roster,
    pub(super) probe: Probe,
    pub(super) now: Instant,
    pub(super) out: Vec<Out>,
    pub(super) watched: Vec<Watched>,
    pub(super) stretch: Stretch,
    addresses: Vec<Instance>,
    epoch: u64,
}

/// A call or a probe that has not ended.
pub(super) struct Out {
    pub(super) permit: Admission,
    pub(super) since: Instant,
}

impl World {
    pub(super) fn new(seed: u64) -> Self {
        // The rotation begins at random, by the thread's own.
        fastrand::seed(seed);
        let mut rng = Rng::with_seed(seed);
        let probe = if rng.bool() { Probe::ByItself } else { Probe::ByCall };
        let rules = Rules { failure_limit: rng.u32(1..=3), retest_delay: DELAY, probe, probe_lease: LEASE };
        let addresses = (1..=rng.u16(1..=5)).map(|port| format!("127.0.0.1:{port}").parse().unwrap());
        let addresses = crate::discover::fixed(&addresses.collect::<Vec<_>>());
        let roster = Roster::new(rules, Network::default());
        let (out, watched, stretch) = (Vec::new(), Vec::new(), Stretch::default());
        let now = Instant::now();
        let mut world = Self { rng, roster, probe, now, out, watched, stretch, addresses, epoch: 1 };
        world.listing(false);
        world
    }

    pub(super) fn step(&mut self) {
        match self.rng.u8(..100) {
            0..40 => self.call(),
            40..65 => self.end_one(),
            65..70 => self.drop_one(),
            70..80 => self.now += WAITS[self.rng.usize(..WAITS.len())],
            80..87 => self.tick(),
            87..93 => self.probe_one(),
            93..95 => self.come(),
            95..97 => self.go(),
            97..99 => self.listing(false),
            _ => self.listing(true),
        }
    }

    /// A call to whoever is next; now and then as a second attempt, which does not go where the first did.
    fn call(&mut self) {
        self.roster.count_call();
        let tried: Vec<_> = match self.out.last() {
            Some(out) if self.rng.u8(..8) == 0 => vec![Arc::clone(out.permit.holder().instance())],
            _ => Vec::new(),
        };
        let picked = self.roster.rotation.pick(&self.roster.ready(), &tried, self.now);
        self.check_pick(&tried, picked.as_ref());
        self.out.extend(picked.map(|permit| Out { permit, since: self.now }));
    }

    fn end_one(&mut self) {
        if let Some(permit) = self.take_one() {
            let outcome = OUTCOMES[self.rng.usize(..OUTCOMES.len())];
            self.settle(permit, outcome);
        }
    }

    fn drop_one(&mut self) {
        drop(self.take_one());
    }

    fn take_one(&mut self) -> Option<Admission> {
        let which = self.rng.usize(..self.out.len().max(1));
        (which < self.out.len()).then(|| self.out.swap_remove(which).permit)
    }

    pub(super) fn settle(&mut self, mut permit: Admission, outcome: Outcome) {
        if let Some((transition, ())) = permit.settle(outcome, self.now, || ()) {
            self.turned(permit.holder().instance(), transition);
        }
    }

    pub(super) fn tick(&mut self) {
        for state in self.roster.everybody() {
            if let Some(transition) = state.breaker.tick(self.now) {
                self.turned(&state, transition);
            }
        }
        let (noted, _) = self.roster.tick(self.now);
        self.noted(noted);
    }

    fn probe_one(&mut self) {
        let anybody = self.rng.choice(self.roster.everybody());
        let permit = anybody.and_then(|state| state.admit_probe(self.now).ok());
        self.out.extend(permit.map(|permit| Out { permit, since: self.now }));
    }

    /// An instance comes, is renewed, or comes as another process.
    fn come(&mut self) {
        let listed = self.one();
        let noted = self.roster.note([listed], self.now);
        self.noted(noted);
    }

    fn go(&mut self) {
        let id = self.one().instance.id;
        let noted = self.roster.note_gone(&id, GoneReason::Left, self.now);
        self.noted(noted);
    }

    fn one(&mut self) -> Listed {
        let which = self.rng.usize(..self.addresses.len());
        let instance = &mut self.addresses[which];
        instance.incarnation += u64::from(self.rng.u8(..3) == 0);
        let presence = PRESENCES[self.rng.usize(..PRESENCES.len())];
        Listed { instance: instance.clone(), presence }
    }

    /// The registry lists some; after it has `restarted`, as another one.
    fn listing(&mut self, restarted: bool) {
        self.epoch += u64::from(restarted);
        let listed = |instance: &Instance| Listed { instance: instance.clone(), presence: Presence::Up };
        let instances = self.addresses.iter().filter(|_| self.rng.u8(..4) > 0).map(listed).collect();
        let listing = Listing { service: "ratings".to_owned(), epoch: self.epoch, revision: 1, instances };
        let was_empty = self.roster.ready().present.is_empty();
        let noted = self.roster.note_listing(listing, self.now);
        assert!(was_empty || !self.roster.ready().present.is_empty(), "a list has emptied the client at once");
        self.noted(noted);
    }

    /// Everybody is there.
    pub(super) fn everybody_comes(&mut self) {
        let listed = |instance: &Instance| Listed { instance: instance.clone(), presence: Presence::Up };
        let noted = self.roster.note(self.addresses.iter().map(listed), self.now);
        self.noted(noted);
    }

    /// As a client does with what it is told.
    fn noted(&mut self, noted: Vec<Noted>) {
        self.stretch.end();
        for state in self.roster.everybody() {
            if !self.watched.iter().any(|watched| Arc::ptr_eq(&watched.state, &state)) {
                self.watched.push(Watched { state, last: None });
            }
        }
        for noted in noted {
            if let Noted::Retest(state) = noted {
                self.turned(&state, Transition::Retest);
            }
        }
    }

    fn turned(&mut self, state: &Arc<InstanceState>, transition: Transition) {
        self.stretch.end();
        self.roster.turned(state, self.now);
        self.check_turn(state, transition);
    }
}
