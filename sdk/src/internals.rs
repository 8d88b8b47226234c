//! Parts of the call path by themselves, for this repository's own benches: nothing here is promised to anybody.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use mainstay_contracts::Policy;
use mainstay_contracts::registry::{GoneReason, Instance, Listed, Presence};
use tokio::time::Instant;

use crate::breaker::{Outcome, Rules};
use crate::cache;
use crate::discover::Roster;
use crate::transport::{Network, Outgoing};

/// What a call does besides sending: who is there, who is next, admission, record.
pub struct Path {
    roster: Roster,
    now: Instant,
}

impl Path {
    /// So many instances, whose breakers open after so many failures in a row.
    pub fn over(instances: u16, failure_limit: u32) -> Self {
        let now = Instant::now();
        let policy = Policy::builder().failure_limit(failure_limit).build().unwrap_or_default();
        let roster = Roster::new(Rules::from(&policy), Network::default());
        roster.note((1..=instances).map(|number| listed(number, 1)), now);
        Self { roster, now }
    }

    /// Opens the breakers of so many, spread evenly.
    pub fn open(&self, count: usize) {
        let everybody = self.roster.everybody();
        for nth in 0..count {
            let state = &everybody[nth * everybody.len() / count];
            while let Ok(permit) = state.admit(self.now) {
                let _ = permit.record(Outcome::Failure, self.now);
            }
            self.roster.turned(state, self.now);
        }
    }

    /// A call as its breaker sees it; false if nobody may be asked.
    pub fn call(&self, succeeds: bool) -> bool {
        let Some(permit) = self.roster.rotation.pick(&self.roster.ready(), &[], self.now) else { return false };
        permit.record(if succeeds { Outcome::Success } else { Outcome::Failure }, self.now);
        true
    }

    /// The last instance has restarted, as a registry's watch tells it.
    pub fn change_one(&self, incarnation: u64) {
        let number = self.roster.ready().present.len() as u16;
        self.roster.note([listed(number, incarnation)], self.now);
    }

    /// An instance comes, and another time it leaves.
    pub fn come_and_go(&self) {
        let guest = listed(u16::MAX, 1);
        let id = guest.instance.id.clone();
        self.roster.note([guest], self.now);
        self.roster.note_gone(&id, GoneReason::Left, self.now);
    }

    /// The last instance's breaker has turned, which changes the rotation.
    pub fn turn_one(&self) {
        if let Some(state) = self.roster.ready().present.last() {
            self.roster.turned(state, self.now);
        }
    }
}

impl fmt::Debug for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Path").field("instances", &self.roster.everybody().len()).finish_non_exhaustive()
    }
}

fn listed(number: u16, incarnation: u64) -> Listed {
    let instance = Instance {
        // Always a name: `unwrap_or_else` only says so to the compiler.
        id: format!("instance-{number}").parse().unwrap_or_else(|_| unreachable!("a name")),
        number: number.into(),
        address: SocketAddr::from(([127, 0, 0, 1], number)).into(),
        zone: None,
        weight: 1,
        version: None,
        tags: Vec::new(),
        metadata: Default::default(),
        incarnation,
    };
    Listed { instance, presence: Presence::Up }
}

/// The last good answers, with one answer in them.
#[derive(Debug)]
pub struct LastGood {
    answers: cache::LastGood,
    request: Arc<Outgoing>,
    body: Bytes,
    from: Arc<Instance>,
    now: Instant,
}

impl LastGood {
    /// Keeps `body` as the answer to a call of `path`.
    ///
    /// # Panics
    /// When `path` is none.
    pub fn with(path: &str, body: &'static str) -> Self {
        let (answers, now) = (cache::LastGood::new(Duration::from_secs(600)), Instant::now());
        let Ok(request) = Outgoing::get(path) else { panic!("{path} is no path") };
        let (request, from) = (Arc::new(request), Arc::new(listed(1, 1).instance));
        let body = Bytes::from_static(body.as_bytes());
        answers.keep(&request, &body, &from, now);
        Self { answers, request, body, from, now }
    }

    /// Looks the answer up; true if it is there.
    pub fn hit(&self) -> bool {
        self.answers.get(&self.request, self.now).is_some()
    }

    /// The same answer has come again.
    pub fn touch(&self) {
        self.answers.keep(&self.request, &self.body, &self.from, self.now);
    }
}
