//! An instance from three points of view: what we did to it, what the registry says, what the client believes.

use std::time::Duration;

use mainstay::{Address, BreakerState, InstanceView, Presence, Snapshot};
use serde::{Serialize, Serializer};

use super::millis;
use super::work::Work;
use crate::kind::Kind;
use crate::lab::{Condition, LabInstance};
use crate::market::Market;
use crate::traffic::{BARS, Bar};

/// One row.
#[derive(Debug, Serialize)]
pub(crate) struct InstanceNow {
    #[serde(skip)]
    pub(crate) kind: Kind,
    /// Its name.
    service: &'static str,
    pub(crate) number: u32,
    pub(crate) address: Address,
    /// Nothing for an instance that the demo did not start.
    pub(crate) process: Option<Condition>,
    /// Nothing for an instance that the client has not yet heard of; then it has no breaker either.
    pub(crate) registry: Option<Presence>,
    #[serde(serialize_with = "breaker")]
    pub(crate) breaker: Option<BreakerState>,
    #[serde(rename = "retest_in_ms", serialize_with = "millis")]
    pub(crate) retest_in: Option<Duration>,
    pub(crate) ok: u64,
    pub(crate) failed: u64,
    pub(crate) skipped: u64,
    /// What it has done by message, of what is in the book; nothing for a kind that is called.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) done: Option<u64>,
    #[serde(skip)]
    pub(crate) bars: Vec<Bar>,
}

/// What the client knows and what the lab started, by number.
pub(super) fn all(market: &Market, kind: Kind, snapshot: &Snapshot, work: &Work) -> Vec<InstanceNow> {
    let mut ours = market.lab().map(|lab| lab.instances(kind)).unwrap_or_default();
    let traffic = market.traffic().lock();
    let mut rows = Vec::new();
    for view in &snapshot.instances {
        let address = &view.instance.address;
        // By number too: its buttons say it, and must reach the process of this row.
        let is_mine =
            |ours: &LabInstance| ours.address == *address && (kind.is_single() || ours.number == view.instance.number);
        let mine = ours.iter().position(is_mine).map(|index| ours.swap_remove(index));
        let mut row = InstanceNow::known(kind, view, mine, traffic.bars(kind, address, view.calls));
        if let Some(done) = work.done(kind, view.instance.id.as_str()) {
            row.done = Some(done.count);
            row.bars = done.bars;
        }
        rows.push(row);
    }
    rows.extend(ours.into_iter().map(|ours| InstanceNow::unheard(kind, ours)));
    rows.sort_by_key(|row| row.number);
    rows
}

impl InstanceNow {
    fn known(kind: Kind, view: &InstanceView, ours: Option<LabInstance>, bars: Vec<Bar>) -> Self {
        Self {
            kind,
            service: kind.name,
            number: view.instance.number,
            address: view.instance.address.clone(),
            process: ours.map(|ours| ours.condition),
            registry: Some(view.presence),
            breaker: Some(view.breaker.state),
            retest_in: view.breaker.retest_in,
            ok: view.calls.ok,
            failed: view.calls.failed,
            skipped: view.calls.skipped,
            done: None,
            bars,
        }
    }

    fn unheard(kind: Kind, ours: LabInstance) -> Self {
        Self {
            kind,
            service: kind.name,
            number: ours.number,
            address: ours.address,
            process: Some(ours.condition),
            registry: None,
            breaker: None,
            retest_in: None,
            ok: 0,
            failed: 0,
            skipped: 0,
            done: kind.work.is_some().then_some(0),
            bars: vec![Bar::default(); BARS],
        }
    }
}

/// A breaker's state, as programs read it.
pub(crate) fn breaker_word(state: BreakerState) -> &'static str {
    match state {
        BreakerState::Closed => "closed",
        BreakerState::Open => "open",
        BreakerState::HalfOpen => "half-open",
    }
}

fn breaker<S: Serializer>(state: &Option<BreakerState>, serializer: S) -> Result<S::Ok, S::Error> {
    state.map(breaker_word).serialize(serializer)
}
