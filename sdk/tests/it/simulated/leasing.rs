//! A lease, and what a registry may do to it.

use std::sync::Arc;
use std::time::Duration;

use mainstay::contracts::ratings::Ratings;
use mainstay::contracts::registry::{Beaten, Drained, HoldFrame, LeaseEnded, Registered};
use mainstay::testing::{Answer, Feed, Network, SimulatedInstance};
use mainstay::{Lease, Registration};
use parking_lot::Mutex;
use tokio::time::{Instant, sleep, timeout};

use super::line;
use crate::log::Log;

const SECOND: Duration = Duration::from_secs(1);

/// Says yes to everything, unless it is told to refuse.
struct Registry {
    process: SimulatedInstance,
    replica: SimulatedInstance,
    network: Network,
    feed: Feed,
    said: Arc<Mutex<Said>>,
}

#[derive(Default)]
struct Said {
    /// When, in seconds, and what: with `lease` for the lease's name, all of which are the same.
    asked: Vec<(u64, String)>,
    lease: Option<String>,
    /// What is refused once for each time that it stands here, and with which status.
    refuse: Vec<(&'static str, u16)>,
    drain_takes: Duration,
}

impl Registry {
    fn start() -> Self {
        let (network, feed, said) = (Network::new(), Feed::new(), Arc::new(Mutex::new(Said::default())));
        let start = Instant::now();
        let process = |address| {
            let (known, more) = (Arc::clone(&said), feed.clone());
            network.instance(address, move |target| known.lock().answer(target, start, &more))
        };
        let (process, replica) = (process("10.1.0.1:8500"), process("10.1.0.2:8500"));
        let bookmarks = feed.clone();
        tokio::spawn(async move {
            loop {
                sleep(5 * SECOND).await;
                bookmarks.say(line(&HoldFrame::Bookmark));
            }
        });
        Self { process, replica, network, feed, said }
    }

    fn registration(&self, number: u32) -> Registration {
        let id = format!("ratings-{number}").parse().unwrap();
        let address = format!("10.0.0.{number}:80").parse().unwrap();
        let registration = Registration::new::<Ratings>(id, address).number(number);
        registration.registry(self.process.address()).network(self.network.clone())
    }

    fn refuse(&self, what: &'static str, status: u16) {
        self.said.lock().refuse.push((what, status));
    }

    /// What was asked since this was asked last.
    fn asked(&self) -> Vec<(u64, String)> {
        std::mem::take(&mut self.said.lock().asked)
    }

    /// The same, without when.
    fn words(&self) -> Vec<String> {
        self.asked().into_iter().map(|(_, word)| word).collect()
    }
}

impl Said {
    fn answer(&mut self, target: &str, start: Instant, feed: &Feed) -> Answer {
        let parts: Vec<_> = target.trim_start_matches("/v1/").split('/').collect();
        let word = match parts[..] {
            ["leases", lease, ..] => {
                assert_eq!((lease.len(), lease), (32, self.lease.get_or_insert(lease.to_owned()).as_str()));
                ["lease"].iter().chain(&parts[2..]).copied().collect::<Vec<_>>().join("/")
            }
            ["services", "ratings", "instances", ..] => parts[3..].join("/"),
            _ => panic!("{target}"),
        };
        self.asked.push((start.elapsed().as_secs(), word.clone()));
        if let Some(place) = self.refuse.iter().position(|(what, _)| *what == word) {
            let (_, status) = self.refuse.remove(place);
            return Answer::ok(r#"{"reason":"told to refuse"}"#).with_status(status.try_into().unwrap());
        }
        match word.as_str() {
            "lease/hold" => {
                let held = HoldFrame::Lease { epoch: 1, instances: 0, beat_every_ms: 5_000 };
                Answer::ok(line(&held)).followed_by(feed)
            }
            "lease/beat" => Answer::ok(line(&Beaten { beat_every_ms: 5_000 })),
            word if word.ends_with("/drain") => {
                Answer::ok(line(&Drained { revision: 9, told: 1, untold: 0 })).after(self.drain_takes)
            }
            "lease" => Answer::ok(line(&LeaseEnded { revision: 9, instances: 1 })),
            _ => {
                let registered = Registered { epoch: 1, revision: 1, number: 1, incarnation: 1, beat_every_ms: 5_000 };
                Answer::ok(line(&registered))
            }
        }
    }
}

async fn registered(lease: &Lease) {
    timeout(600 * SECOND, lease.registered()).await.expect("registered some time");
    assert!(lease.is_registered());
}

#[tokio::test(start_paused = true)]
async fn one_lease_beats_for_all_that_a_process_has_registered() {
    let registry = Registry::start();
    let lease = registry.registration(1).start();
    registered(&lease).await;
    lease.register(registry.registration(2));
    assert!(!lease.is_registered());
    lease.register(registry.registration(3));
    registered(&lease).await;
    assert_eq!(registry.words(), ["lease/hold", "ratings-1", "ratings-2", "ratings-3"]);
    sleep(Duration::from_millis(10_100)).await;
    assert_eq!(registry.asked(), [(5, "lease/beat".to_owned()), (10, "lease/beat".to_owned())]);

    // What is said anew of one is no other one's concern.
    lease.register(registry.registration(2).weight(7));
    registered(&lease).await;
    assert_eq!(registry.words(), ["ratings-2"]);
    lease.release().await;
    assert_eq!(registry.words(), ["lease"]);
}

#[tokio::test(start_paused = true)]
async fn an_instance_whose_place_is_taken_is_no_other_ones_concern_and_stands_up_again_later() {
    let registry = Registry::start();
    let lease = registry.registration(1).start();
    lease.register(registry.registration(2));
    registered(&lease).await;
    registry.words();
    let replaced = |id: &str, incarnation| {
        let (service, id) = ("ratings".to_owned(), id.parse().unwrap());
        registry.feed.say(line(&HoldFrame::Replaced { service, id, incarnation }));
    };
    registry.refuse("ratings-2", 409);
    replaced("nobody", u64::MAX);
    replaced("ratings-2", u64::MAX);
    sleep(SECOND).await;
    assert!(!lease.is_registered());
    sleep(28 * SECOND).await;
    let beats = registry.words();
    assert!(beats.iter().all(|word| word == "lease/beat"), "{beats:?}");
    sleep(2 * SECOND).await;
    assert!(registry.words().contains(&"ratings-2".to_owned()), "after half a minute");
    registered(&lease).await;

    registry.words();
    replaced("ratings-1", 1);
    sleep(SECOND).await;
    assert_eq!(registry.words(), ["ratings-1"], "an earlier one has no right to its place");
    assert!(lease.is_registered());
}

#[tokio::test(start_paused = true)]
async fn a_lease_that_is_dropped_hangs_up() {
    let registry = Registry::start();
    let lease = registry.registration(1).start();
    registered(&lease).await;
    assert!(registry.process.connections() > 0);
    drop(lease);
    sleep(SECOND).await;
    assert_eq!(registry.process.connections(), 0);
    assert_eq!(registry.words(), ["lease/hold", "ratings-1"]);
}

#[tokio::test(start_paused = true)]
async fn a_later_incarnation_of_one_is_waited_for_and_the_others_stand() {
    let log = Log::listen();
    let registry = Registry::start();
    registry.refuse("ratings-2", 409);
    registry.refuse("ratings-2", 409);
    let lease = registry.registration(1).start();
    lease.register(registry.registration(2));
    lease.register(registry.registration(3));
    registered(&lease).await;
    let asked: Vec<_> = registry.asked().into_iter().filter(|(_, word)| !word.starts_with("lease")).collect();
    let asked: Vec<_> = asked.iter().map(|(at, word)| (*at, word.as_str())).collect();
    let again = [(0, "ratings-1"), (0, "ratings-2"), (0, "ratings-3"), (30, "ratings-2"), (60, "ratings-2")];
    assert_eq!(asked, again);
    let why = "a later incarnation is registered; trying on";
    let line = format!("ratings at http://10.0.0.2:80 is not registered at http://10.1.0.1:8500: {why}");
    assert_eq!(log.warnings(), [line]);
}

#[tokio::test(start_paused = true)]
async fn a_lease_that_is_forgotten_is_opened_anew() {
    let registry = Registry::start();
    let lease = registry.registration(1).start();
    lease.register(registry.registration(2));
    registered(&lease).await;
    registry.words();
    registry.refuse("lease/beat", 404);
    sleep(6 * SECOND).await;
    assert_eq!(registry.words(), ["lease/beat", "lease/hold", "ratings-1", "ratings-2"]);
    registry.refuse("ratings-3", 404);
    lease.register(registry.registration(3));
    registered(&lease).await;
    let mut words = registry.words();
    assert_eq!(words.drain(..2).collect::<Vec<_>>(), ["ratings-3", "lease/hold"]);
    assert_eq!(words, ["ratings-1", "ratings-2", "ratings-3"]);
    // A registry that is out of order forgets nothing.
    registry.refuse("lease/beat", 500);
    sleep(11 * SECOND).await;
    assert_eq!(registry.words(), ["lease/beat", "lease/beat"]);
    assert!(lease.is_registered());
}

#[tokio::test(start_paused = true)]
async fn a_registry_that_stops_finds_the_lease_again() {
    let registry = Registry::start();
    let lease = registry.registration(1).start();
    registered(&lease).await;
    registry.feed.say(line(&HoldFrame::Closing { return_in_ms: 3_000 }));
    sleep(SECOND).await;
    assert!(!lease.is_registered());
    registered(&lease).await;
    let asked = registry.asked();
    let asked: Vec<_> = asked.iter().map(|(at, word)| (*at, word.as_str())).collect();
    assert_eq!(asked, [(0, "lease/hold"), (0, "ratings-1"), (3, "lease/hold"), (3, "ratings-1")]);

    registry.process.kill();
    sleep(60 * SECOND).await;
    registry.process.resume();
    registered(&lease).await;
    registry.words();
    lease.release().await;
    assert_eq!(registry.words(), ["lease"]);
}

#[tokio::test(start_paused = true)]
async fn a_lease_goes_on_at_the_next_registry() {
    let registry = Registry::start();
    let both = [&registry.process, &registry.replica];
    let lease = registry.registration(1).registries(both.map(SimulatedInstance::address)).start();
    lease.register(registry.registration(2));
    registered(&lease).await;
    sleep(6 * SECOND).await;
    registry.words();
    let [first, second] = if both[0].connections() > 0 { both } else { [both[1], both[0]] };
    first.kill();
    sleep(SECOND / 10).await;
    assert!(lease.is_registered());
    assert_eq!(registry.words(), ["lease/hold", "ratings-1", "ratings-2"]);
    assert!(second.connections() > 0);
}

#[tokio::test(start_paused = true)]
async fn what_a_registry_refuses_is_said_once_and_tried_on() {
    let log = Log::listen();
    let registry = Registry::start();
    for what in ["lease/hold", "lease/hold", "ratings-1", "ratings-1"] {
        registry.refuse(what, 403);
    }
    let lease = registry.registration(1).start();
    registered(&lease).await;
    let line = "ratings at http://10.0.0.1:80 is not registered at http://10.1.0.1:8500: told to refuse; trying on";
    assert_eq!(log.warnings(), [line, line], "the lease, and the instance");
}

#[tokio::test(start_paused = true)]
async fn a_drain_waits_for_the_registry_and_not_for_long() {
    let log = Log::listen();
    let registry = Registry::start();
    let lease = registry.registration(1).start();
    lease.register(registry.registration(2));
    registered(&lease).await;
    registry.words();
    registry.said.lock().drain_takes = SECOND / 2;
    let start = Instant::now();
    lease.drain(SECOND).await;
    assert_eq!(start.elapsed(), SECOND / 2);
    assert_eq!(registry.words(), ["ratings-1/drain", "ratings-2/drain"]);
    assert!(!lease.is_registered());

    // Who drains is not registered anew, as that would ask for calls; the lease goes on.
    registry.feed.end();
    sleep(6 * SECOND).await;
    assert_eq!(registry.words(), ["lease/hold", "lease/beat"]);
    lease.register(registry.registration(2));
    sleep(SECOND).await;
    assert_eq!(registry.words(), ["ratings-2"]);
    assert!(log.warnings().is_empty());

    registry.said.lock().drain_takes = 60 * SECOND;
    let start = Instant::now();
    lease.drain(SECOND).await;
    assert_eq!(start.elapsed(), SECOND);
    assert_eq!(registry.words(), ["ratings-2/drain"]);
    assert_eq!(log.warnings().len(), 1);
    lease.release().await;
    assert_eq!(registry.words(), ["lease"]);
}

#[tokio::test(start_paused = true)]
async fn with_its_registry_away_nobody_waits_for_a_drain() {
    let registry = Registry::start();
    registry.process.kill();
    let lease = registry.registration(1).start();
    sleep(SECOND).await;
    let start = Instant::now();
    lease.drain(SECOND).await;
    lease.release().await;
    assert_eq!(start.elapsed(), Duration::ZERO);
}
