//! The last good answer to every call, for when no live one can be had.
//!
//! Most answers repeat the one before. Such a one is only touched: an answer is put into the map when it is new or
//! different. Nothing is written to the map by looking into it, so that callers share no more than a read lock.

use std::hash::{Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use mainstay_contracts::registry::Instance;
use parking_lot::Mutex;
use quick_cache::sync::{Cache, DefaultLifecycle};
use quick_cache::{DefaultHashBuilder, Equivalent, OptionsBuilder, Weighter};
use tokio::time::Instant;

use crate::transport::Outgoing;

/// Bytes of answers kept by one client, their requests included.
const WEIGHT_LIMIT: u64 = 32 * 1024 * 1024;
/// Parts of the map, each with a lock and a limit of its own: what is longer than that is not kept.
const PARTS: usize = 4;
/// What an entry costs besides its request and answer, and how many there may be: most are short.
const ENTRY_WEIGHT: usize = 256;
const ENTRIES: usize = 16 * 1024;

#[derive(Debug)]
pub(crate) struct LastGood {
    keep: Duration,
    answers: Cache<Request, Arc<Kept>, ByLength>,
}

/// A request, as long as it is the same: by method, path, query and body.
#[derive(Debug)]
struct Request(Arc<Outgoing>);

#[derive(Debug)]
struct Kept {
    body: Bytes,
    fresh: Mutex<Fresh>,
}

#[derive(Debug, Clone)]
struct Fresh {
    at: Instant,
    from: Arc<Instance>,
}

impl Fresh {
    fn touch(&mut self, from: &Arc<Instance>, now: Instant) {
        if self.at <= now {
            self.at = now;
            if !Arc::ptr_eq(&self.from, from) {
                self.from = Arc::clone(from);
            }
        }
    }
}

/// A last good answer and where it came from.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) body: Bytes,
    pub(crate) age: Duration,
    pub(crate) from: Arc<Instance>,
}

impl LastGood {
    pub(crate) fn new(keep: Duration) -> Self {
        let mut options = OptionsBuilder::new();
        options.shards(PARTS).weight_capacity(WEIGHT_LIMIT).estimated_items_capacity(ENTRIES);
        let Ok(options) = options.build() else { unreachable!("both capacities are given") };
        let (hash, lifecycle) = (DefaultHashBuilder::default(), DefaultLifecycle::default());
        Self { keep, answers: Cache::with_options(options, ByLength, hash, lifecycle) }
    }

    pub(crate) fn keep(&self, request: &Arc<Outgoing>, body: &Bytes, from: &Arc<Instance>, now: Instant) {
        match self.answers.get(&**request) {
            Some(kept) if kept.body == body => kept.fresh.lock().touch(from, now),
            // A copy: the body may be a small part of a large read buffer.
            _ => {
                let fresh = Mutex::new(Fresh { at: now, from: Arc::clone(from) });
                let kept = Kept { body: Bytes::copy_from_slice(body), fresh };
                self.answers.insert(Request(Arc::clone(request)), Arc::new(kept));
            }
        }
    }

    pub(crate) fn get(&self, request: &Outgoing, now: Instant) -> Option<Answer> {
        let kept = self.answers.get(request)?;
        let Fresh { at, from } = kept.fresh.lock().clone();
        let age = now.saturating_duration_since(at);
        (age <= self.keep).then(|| Answer { body: kept.body.clone(), age, from })
    }

    /// Drops what has become too old.
    pub(crate) fn tidy(&self, now: Instant) {
        self.answers.retain(|_, kept| now.saturating_duration_since(kept.fresh.lock().at) <= self.keep);
    }
}

impl Hash for Outgoing {
    fn hash<H: Hasher>(&self, state: &mut H) {
        // One write is cheaper than three, and most requests are told apart by it.
        state.write(self.path_and_query().as_bytes());
    }
}

impl Hash for Request {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}

impl Equivalent<Request> for Outgoing {
    fn equivalent(&self, Request(kept): &Request) -> bool {
        self.path_and_query() == kept.path_and_query() && self.method == kept.method && self.body == kept.body
    }
}

impl PartialEq for Request {
    fn eq(&self, other: &Self) -> bool {
        self.0.equivalent(other)
    }
}

impl Eq for Request {}

#[derive(Debug, Clone)]
struct ByLength;

impl Weighter<Request, Arc<Kept>> for ByLength {
    fn weight(&self, Request(asked): &Request, kept: &Arc<Kept>) -> u64 {
        let asked = asked.path_and_query().len() + asked.body.as_ref().map_or(0, Bytes::len);
        (asked + kept.body.len() + ENTRY_WEIGHT) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::discover::fixed;

    #[tokio::test(start_paused = true)]
    async fn an_answer_ages_is_touched_and_expires() {
        let last_good = LastGood::new(Duration::from_secs(600));
        let from = Arc::new(fixed(&["127.0.0.1:1".parse().unwrap()]).remove(0));
        let camera = Arc::new(Outgoing::get("/ratings/camera").unwrap());
        let first = Bytes::from_static(b"4.5");
        last_good.keep(&camera, &first, &from, Instant::now());
        tokio::time::advance(Duration::from_secs(34)).await;
        let answer = last_good.get(&camera, Instant::now()).unwrap();
        assert_eq!((&answer.body, answer.age), (&first, Duration::from_secs(34)));

        last_good.keep(&camera, &first, &from, Instant::now());
        assert_eq!(last_good.get(&camera, Instant::now()).unwrap().age, Duration::ZERO);
        last_good.keep(&camera, &Bytes::from_static(b"4.6"), &from, Instant::now());
        assert_eq!(last_good.get(&camera, Instant::now()).unwrap().body, "4.6");

        tokio::time::advance(Duration::from_secs(600)).await;
        assert!(last_good.get(&camera, Instant::now()).is_some());
        tokio::time::advance(Duration::from_nanos(1)).await;
        assert!(last_good.get(&camera, Instant::now()).is_none());
        assert!(last_good.get(&Outgoing::get("/ratings/football").unwrap(), Instant::now()).is_none());
    }
}
