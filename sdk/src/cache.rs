//! The last good answer to every call, for when no live one can be had.
//!
//! Most answers repeat the one before. Such a one is only touched: inserting into the map costs more than
//! the rest of a call, and happens when an answer is new or different.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use mainstay_contracts::registry::Instance;
use moka::sync::Cache;
use parking_lot::Mutex;
use tokio::time::Instant;

/// Bytes of answers kept by one client, their keys included.
const WEIGHT_LIMIT: u64 = 32 * 1024 * 1024;
/// What an entry costs besides its key and answer.
const ENTRY_WEIGHT: usize = 256;

#[derive(Debug)]
pub(crate) struct LastGood {
    keep: Duration,
    /// By path, query and body of the request.
    answers: Cache<Key, Arc<Kept>>,
}

pub(crate) type Key = Box<[u8]>;

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

/// A last good answer and where it came from.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) body: Bytes,
    pub(crate) age: Duration,
    pub(crate) from: Arc<Instance>,
}

impl LastGood {
    pub(crate) fn new(keep: Duration) -> Self {
        let weigh =
            |key: &Key, kept: &Arc<Kept>| u32::try_from(key.len() + kept.body.len() + ENTRY_WEIGHT).unwrap_or(u32::MAX);
        // What is not asked for leaves by the map's own clock; how old an answer may be is checked by ours.
        let answers = Cache::builder().weigher(weigh).max_capacity(WEIGHT_LIMIT).time_to_idle(keep).build();
        Self { keep, answers }
    }

    pub(crate) fn keep(&self, key: &[u8], body: &Bytes, from: &Arc<Instance>, now: Instant) {
        let fresh = Fresh { at: now, from: Arc::clone(from) };
        match self.answers.get(key) {
            Some(kept) if kept.body == body => {
                let mut last = kept.fresh.lock();
                if last.at <= now {
                    *last = fresh;
                }
            }
            // A copy: the body may be a small part of a large read buffer.
            _ => {
                let kept = Kept { body: Bytes::copy_from_slice(body), fresh: Mutex::new(fresh) };
                self.answers.insert(key.into(), Arc::new(kept));
            }
        }
    }

    pub(crate) fn get(&self, key: &[u8], now: Instant) -> Option<Answer> {
        let kept = self.answers.get(key)?;
        let Fresh { at, from } = kept.fresh.lock().clone();
        let age = now.saturating_duration_since(at);
        (age <= self.keep).then(|| Answer { body: kept.body.clone(), age, from })
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
        let first = Bytes::from_static(b"4.5");
        last_good.keep(b"/ratings/camera", &first, &from, Instant::now());
        tokio::time::advance(Duration::from_secs(34)).await;
        let answer = last_good.get(b"/ratings/camera", Instant::now()).unwrap();
        assert_eq!((&answer.body, answer.age), (&first, Duration::from_secs(34)));

        last_good.keep(b"/ratings/camera", &first, &from, Instant::now());
        assert_eq!(last_good.get(b"/ratings/camera", Instant::now()).unwrap().age, Duration::ZERO);
        last_good.keep(b"/ratings/camera", &Bytes::from_static(b"4.6"), &from, Instant::now());
        assert_eq!(last_good.get(b"/ratings/camera", Instant::now()).unwrap().body, "4.6");

        tokio::time::advance(Duration::from_secs(600)).await;
        assert!(last_good.get(b"/ratings/camera", Instant::now()).is_some());
        tokio::time::advance(Duration::from_nanos(1)).await;
        assert!(last_good.get(b"/ratings/camera", Instant::now()).is_none());
        assert!(last_good.get(b"/ratings/football", Instant::now()).is_none());
    }
}
