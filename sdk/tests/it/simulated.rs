//! A registry on the simulated network, which says what a test has it say: also what a real one never would.

mod leasing;
mod outage;
mod remembered;
mod replicas;
mod watching;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use mainstay::contracts::registry::{BOOKMARK_EVERY, Fingerprint, Listed, Listing, WatchFrame};
use mainstay::testing::{Answer, Feed, Network, SimulatedInstance};
use mainstay::{GoneReason, Instance, Presence};
use parking_lot::Mutex;
use serde::Serialize;

/// Changes kept for those who come back.
const RING: usize = 8;

pub(crate) struct Registry {
    pub(crate) process: SimulatedInstance,
    said: Arc<Mutex<Said>>,
    feed: Feed,
}

#[derive(Default)]
struct Said {
    epoch: u64,
    revision: u64,
    listed: BTreeMap<u32, Listed>,
    ring: VecDeque<(u64, String)>,
    /// Path and query of every watch.
    asked: Vec<String>,
    lies: bool,
}

impl Registry {
    pub(crate) fn start(network: &Network, address: &str) -> Self {
        let (said, feed) = (Arc::new(Mutex::new(Said { epoch: 1, ..Said::default() })), Feed::new());
        let (known, more) = (Arc::clone(&said), feed.clone());
        let process = network.instance(address, move |target| Answer::ok(known.lock().open(target)).followed_by(&more));
        Self { process, said, feed }
    }

    /// Another process that knows and says the same.
    pub(crate) fn replica(&self, network: &Network, address: &str) -> SimulatedInstance {
        let (known, more) = (Arc::clone(&self.said), self.feed.clone());
        network.instance(address, move |target| Answer::ok(known.lock().open(target)).followed_by(&more))
    }

    /// Speaks every 5 s, as a registry does.
    pub(crate) fn keep_speaking(&self) {
        let (said, feed) = (Arc::clone(&self.said), self.feed.clone());
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(BOOKMARK_EVERY).await;
                feed.say(said.lock().bookmark());
            }
        });
    }

    pub(crate) fn bookmark(&self) {
        self.feed.say(self.said.lock().bookmark());
    }

    pub(crate) fn put(&self, number: u32, presence: Presence) {
        self.feed.say(self.said.lock().put(number, presence));
    }

    pub(crate) fn remove(&self, number: u32, why: GoneReason) {
        let line = self.said.lock().remove(number, why);
        self.feed.say(line);
    }

    /// Changes, and tells nobody.
    pub(crate) fn put_quietly(&self, number: u32, presence: Presence) {
        self.said.lock().put(number, presence);
    }

    /// Says from now on that the list is another one than it is.
    pub(crate) fn lie(&self, lies: bool) {
        self.said.lock().lies = lies;
    }

    /// Ends all streams.
    pub(crate) fn hang_up(&self) {
        self.feed.end();
    }

    pub(crate) fn close(&self, return_in: Duration) {
        self.feed.say(line(&WatchFrame::Closing { return_in_ms: return_in.as_millis() as u64 }));
        self.feed.end();
    }

    /// Forgets all changes: whoever comes back gets a snapshot.
    pub(crate) fn forget_changes(&self) {
        self.said.lock().ring.clear();
    }

    /// Forgets these, without a word.
    pub(crate) fn lose(&self, numbers: impl IntoIterator<Item = u32>) {
        let mut said = self.said.lock();
        numbers.into_iter().for_each(|number| drop(said.listed.remove(&number)));
        said.ring.clear();
        said.revision += 1;
    }

    /// Is another one from now on, which knows nobody.
    pub(crate) fn restart(&self) {
        let mut said = self.said.lock();
        *said = Said { epoch: said.epoch + 1, asked: std::mem::take(&mut said.asked), ..Said::default() };
        self.feed.end();
    }

    /// Path and query of every watch since this was asked last.
    pub(crate) fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.said.lock().asked)
    }
}

impl Said {
    fn open(&mut self, target: &str) -> String {
        assert!(target.starts_with("/v1/services/ratings/watch"), "{target}");
        self.asked.push(target.to_owned());
        let query = target.split_once('?').map(|(_, query)| query);
        let seen = query.and_then(|query| query.strip_prefix(&format!("epoch={}&revision=", self.epoch))?.parse().ok());
        let oldest = self.ring.front().map_or(self.revision + 1, |(revision, _)| *revision);
        match seen {
            Some(seen) if seen + 1 >= oldest || seen == self.revision => {
                let missed = self.ring.iter().filter(|(revision, _)| *revision > seen).map(|(_, line)| line.as_str());
                let resumed = line(&WatchFrame::Resumed { epoch: self.epoch, revision: seen });
                std::iter::once(resumed.as_str()).chain(missed).collect()
            }
            _ => line(&WatchFrame::Snapshot(Listing {
                service: "ratings".to_owned(),
                epoch: self.epoch,
                revision: self.revision,
                instances: self.listed.values().cloned().collect(),
            })),
        }
    }

    fn put(&mut self, number: u32, presence: Presence) -> String {
        self.revision += 1;
        let listed = Listed { instance: instance(number), presence };
        self.listed.insert(number, listed.clone());
        self.told(&WatchFrame::Changed { revision: self.revision, listed })
    }

    fn remove(&mut self, number: u32, why: GoneReason) -> String {
        self.revision += 1;
        self.listed.remove(&number);
        self.told(&WatchFrame::Gone { revision: self.revision, id: instance(number).id, why })
    }

    fn told(&mut self, frame: &WatchFrame) -> String {
        let line = line(frame);
        self.ring.push_back((self.revision, line.clone()));
        if self.ring.len() > RING {
            self.ring.pop_front();
        }
        line
    }

    fn bookmark(&self) -> String {
        let other = instance(999);
        let mut fingerprint = Fingerprint::of(self.listed.values());
        if self.lies {
            fingerprint.add(Fingerprint::one(&Listed { instance: other, presence: Presence::Up }));
        }
        line(&WatchFrame::Bookmark { revision: self.revision, fingerprint })
    }
}

pub(crate) fn line(frame: &impl Serialize) -> String {
    serde_json::to_string(frame).unwrap() + "\n"
}

/// Instance `ratings-<number>` at `10.0.0.<number>:80`.
pub(crate) fn instance(number: u32) -> Instance {
    let json = format!(
        r#"{{"id":"ratings-{number}","number":{number},"address":"http://10.0.{}.{}:80","incarnation":1}}"#,
        number / 250,
        number % 250
    );
    serde_json::from_str(&json).unwrap()
}
