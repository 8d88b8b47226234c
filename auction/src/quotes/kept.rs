//! What is kept of a request, and how it is told.

use std::cmp::Ordering;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use mainstay::contracts::quotes::{Quoted, RfqState, RfqView, Submit};
use mainstay_records::{Error, Record, State};
use serde::{Deserialize, Serialize};

/// Of whose requests they are.
pub(super) const KIND: &str = "quotes";

/// The request part of a record.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Kept {
    #[serde(flatten)]
    pub(super) ride: Submit,
    /// The names of all who are asked.
    pub(super) asked: Vec<String>,
    closes_at_ms: u64,
}

impl Kept {
    pub(super) fn new(ride: Submit, asked: Vec<String>, closes_at: SystemTime) -> Self {
        Self { ride, asked, closes_at_ms: millis(closes_at.duration_since(UNIX_EPOCH).unwrap_or_default()) }
    }

    /// When no more quotes are taken.
    pub(super) fn closes_at(&self) -> SystemTime {
        UNIX_EPOCH + Duration::from_millis(self.closes_at_ms)
    }
}

/// How a request stands.
pub(super) fn view(record: &Record, now: SystemTime) -> Result<RfqView, Error> {
    let kept: Kept = record.request()?;
    let state = state(record);
    let left = kept.closes_at().duration_since(now).unwrap_or_default();
    let mut quotes = quoted(record)?;
    quotes.sort_by(|a, b| natural(&a.responder, &b.responder));
    // The first of equal ones.
    let best = quotes.iter().min_by_key(|quoted| quoted.quote).cloned();
    let closes_in_ms = if state == RfqState::Open { millis(left) } else { 0 };
    let Kept { ride: Submit { from, to, customer }, asked, .. } = kept;
    let (id, asked, answered) = (record.id.clone(), asked.len(), quotes.len());
    Ok(RfqView { id, from, to, customer, state, asked, answered, closes_in_ms, best, quotes })
}

/// Whether more quotes may come. The last one makes a request complete, whether that is written down already or not.
pub(super) fn state(record: &Record) -> RfqState {
    match record.state {
        State::Open if has_all(record) => RfqState::Complete,
        State::Open => RfqState::Open,
        State::Complete => RfqState::Complete,
        State::Closed | State::Failed => RfqState::Closed,
    }
}

/// Have all that were asked answered?
pub(super) fn has_all(record: &Record) -> bool {
    record.asked > 0 && record.replies.len() >= record.asked as usize
}

/// The quotes in the order of their coming.
pub(super) fn quoted(record: &Record) -> Result<Vec<Quoted>, Error> {
    let replies = record.replies.iter();
    replies.map(|reply| Ok(Quoted { responder: reply.responder.clone(), quote: reply.body()? })).collect()
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// 2 before 10: digits at the end count as a number.
fn natural(a: &str, b: &str) -> Ordering {
    let split = |name: &str| {
        let stem = name.trim_end_matches(|c: char| c.is_ascii_digit()).len();
        // Longer numbers than that are told apart as texts.
        name[stem..].parse::<u64>().map(|number| (name[..stem].to_owned(), number)).unwrap_or((name.to_owned(), 0))
    };
    split(a).cmp(&split(b)).then_with(|| a.cmp(b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_comes_before_ten() {
        let mut names = ["R10", "R2", "R1", "Q3", "R", "R02", "7", "R99999999999999999999999", ""];
        names.sort_by(|a, b| natural(a, b));
        assert_eq!(names, ["", "7", "Q3", "R", "R1", "R02", "R2", "R10", "R99999999999999999999999"]);
    }
}
