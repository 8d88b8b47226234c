//! Mainstay: `Client::call`, over a real connection to an instance on loopback that does the work.
//!
//! Its rule is failures in a row, whatever was before them: there is no window. Without a health path, so that one live
//! call is the probe: with one, no caller would ever be one. Last good values are off, so that each call says what came
//! of it.

use std::collections::HashMap;
use std::future::ready;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use mainstay::contracts::ratings::{GetRating, Ratings};
use mainstay::{Client, ErrorKind, Policy};
use parking_lot::Mutex;

use crate::score::bed::LIMIT;
use crate::score::instance::Instance;
use crate::score::peer::{Answer, Calling, Failed, Peer, Rules, Trip, Work};

/// What calls are to do, by the thing that they ask for.
type Works = Mutex<HashMap<String, Work>>;

struct Caller {
    client: Client<Ratings>,
    works: Arc<Works>,
    next: AtomicU64,
    _instance: Instance,
}

/// The failures in a row that stand for a peer's rule.
pub(super) fn failure_limit(trip: Trip) -> u32 {
    match trip {
        Trip::InARow(limit) => limit,
        Trip::Window => LIMIT,
    }
}

pub(super) fn build(rules: &Rules) -> Arc<dyn Peer> {
    let policy = Policy::builder()
        .failure_limit(failure_limit(rules.trip))
        .retest_delay(rules.retest_delay)
        .timeout(rules.timeout)
        .forget_last_good()
        .build_const();
    let works = Arc::new(Works::default());
    let asked = Arc::clone(&works);
    let instance =
        Instance::start(move |thing| asked.lock().remove(thing).unwrap_or_else(|| Box::pin(ready(Err(Failed)))));
    let builder = Client::<Ratings>::builder().fixed([instance.address()]).policy(policy);
    let client = builder.build().expect("it was said where to look");
    Arc::new(Caller { client, works, next: AtomicU64::new(0), _instance: instance })
}

impl Peer for Caller {
    fn call(&self, work: Work) -> Calling {
        let (client, works) = (self.client.clone(), Arc::clone(&self.works));
        let thing = self.next.fetch_add(1, Ordering::Relaxed).to_string();
        Box::pin(async move {
            works.lock().insert(thing.clone(), work);
            let answer = client.call(GetRating::new(thing.clone())).await;
            works.lock().remove(&thing);
            match answer {
                Ok(_) => Answer::Done,
                Err(error) if error.kind() == ErrorKind::AllOpen => Answer::Skipped,
                Err(_) => Answer::Failed,
            }
        })
    }
}
