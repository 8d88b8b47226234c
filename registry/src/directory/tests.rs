use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::poll_immediate;
use futures_util::{Stream, StreamExt};
use mainstay_contracts::registry::{
    Beat, BeatLease, Deregister, Drain, Fingerprint, GoneReason, HoldFrame, HoldLease, InstanceId, Listed, Presence,
    Register, Watch, WatchFrame,
};
use serde::de::DeserializeOwned;
use tokio::time::{Instant, advance, sleep};

use super::*;
use crate::{Guard, Limits};

/// A directory whose writer works.
async fn directory_with(config: Config) -> Arc<Directory> {
    let (directory, mut writer) = Directory::open(config, CancellationToken::new()).await.unwrap();
    tokio::spawn(async move { writer.run().await });
    directory
}

async fn directory() -> Arc<Directory> {
    let guard = Guard { on: false, ..Guard::default() };
    directory_with(Config { guard, ..Config::default() }).await
}

fn call(id: &str, port: u16, incarnation: u64) -> Register {
    let json =
        format!(r#"{{"service":"ratings","id":"{id}","address":"127.0.0.1:{port}","incarnation":{incarnation}}}"#);
    serde_json::from_str(&json).unwrap()
}

fn ratings(seen: Option<(u64, u64)>) -> Watch {
    let (epoch, revision) = seen.unzip();
    Watch { service: "ratings".to_owned(), epoch, revision }
}

/// A stream as its reader sees it.
struct Reader {
    lines: Pin<Box<dyn Stream<Item = Bytes>>>,
    /// What a piece of the stream had beyond the line that was read.
    rest: Vec<u8>,
}

impl Reader {
    fn new(lines: impl Stream<Item = Bytes> + 'static) -> Self {
        Self { lines: lines.boxed_local(), rest: Vec::new() }
    }

    fn watch(directory: &Arc<Directory>) -> Self {
        Self::new(directory.watch(&ratings(None)).unwrap())
    }

    async fn hold(directory: &Arc<Directory>, call: Register) -> Self {
        Self::new(directory.hold(call, None).await.unwrap().lines(|| true))
    }

    async fn next<F: DeserializeOwned>(&mut self) -> Option<F> {
        if self.rest.is_empty() {
            self.rest = self.lines.next().await?.to_vec();
        }
        let end = self.rest.iter().position(|byte| *byte == b'\n').expect("lines are whole");
        let line: Vec<u8> = self.rest.drain(..=end).collect();
        Some(serde_json::from_slice(&line).unwrap())
    }

    /// The next frame, if there is one at this instant.
    async fn now<F: DeserializeOwned>(&mut self) -> Option<F> {
        poll_immediate(self.next()).await.flatten()
    }

    async fn presence(&mut self) -> Presence {
        loop {
            match self.next().await {
                Some(WatchFrame::Changed { listed, .. }) => return listed.presence,
                Some(WatchFrame::Gone { .. }) => return Presence::Gone,
                Some(WatchFrame::Bookmark { .. }) => {}
                other => panic!("{other:?} is no change"),
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn time_makes_silent_and_gone_when_nobody_asks() {
    let directory = directory().await;
    let mut reader = Reader::watch(&directory);
    assert!(matches!(reader.next().await, Some(WatchFrame::Snapshot(listing)) if listing.revision == 0));
    let begin = Instant::now();
    directory.register(call("r1", 1, 1)).await.unwrap();
    let mut seen = Vec::new();
    for _ in 0..3 {
        seen.push((reader.presence().await, begin.elapsed().as_secs()));
    }
    assert_eq!(seen, [(Presence::Up, 0), (Presence::Silent, 15), (Presence::Gone, 105)]);
}

#[tokio::test(start_paused = true)]
async fn a_registry_that_was_stopped_finds_nobody_silent() {
    let directory = directory().await;
    directory.register(call("r1", 1, 1)).await.unwrap();
    let mut reader = Reader::watch(&directory);
    reader.next::<WatchFrame>().await;
    // Two leases long nobody could do anything, neither beat nor look.
    advance(Duration::from_secs(210)).await;
    sleep(Duration::from_secs(13)).await;
    assert_eq!(directory.views().list("ratings").listing.instances[0].presence, Presence::Up);
    sleep(Duration::from_secs(2)).await;
    assert_eq!(reader.presence().await, Presence::Silent, "from then on its time runs");
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_closes_after_a_stall_is_not_the_end_of_its_process() {
    let directory = directory().await;
    let lease: HoldLease = serde_json::from_str(r#"{"lease":"process"}"#).unwrap();
    let mut held = Reader::new(directory.hold_lease(lease.clone(), None).await.unwrap().lines(|| true));
    let Some(HoldFrame::Lease { instances: 0, .. }) = held.next().await else { panic!("no lease") };
    directory.register(Register { lease: Some(lease.lease.clone()), ..call("r1", 1, 1) }).await.unwrap();
    advance(Duration::from_secs(60)).await;
    drop(held);
    sleep(Duration::from_secs(1)).await;
    assert_eq!(directory.views().list("ratings").listing.instances.len(), 1);
    // It comes back, and what it has registered is there.
    let mut again = Reader::new(directory.hold_lease(lease.clone(), None).await.unwrap().lines(|| true));
    assert!(matches!(again.next().await, Some(HoldFrame::Lease { instances: 1, .. })));
    directory.beat_lease(&BeatLease { lease: lease.lease.clone() }).unwrap();
    sleep(Duration::from_secs(11)).await;
    drop(again);
    sleep(Duration::from_secs(1)).await;
    assert_eq!(directory.views().list("ratings").listing.instances.len(), 0, "as it is long after the stall");
    assert_eq!(directory.beat_lease(&BeatLease { lease: lease.lease }).unwrap_err().kind, Kind::Unknown);
}

#[tokio::test(start_paused = true)]
async fn a_beat_wakes_no_watcher_and_a_quiet_stream_has_bookmarks() {
    let directory = directory().await;
    directory.register(call("r1", 1, 1)).await.unwrap();
    let mut reader = Reader::watch(&directory);
    reader.next::<WatchFrame>().await;
    let beat = Beat { service: "ratings".to_owned(), id: "r1".parse().unwrap(), incarnation: None };
    directory.beat(&beat).unwrap();
    assert_eq!(reader.now::<WatchFrame>().await, None);
    let begin = Instant::now();
    let fingerprint = Fingerprint::of(&directory.views().list("ratings").listing.instances);
    assert_eq!(reader.next().await, Some(WatchFrame::Bookmark { revision: 1, fingerprint }));
    assert_eq!(begin.elapsed(), Duration::from_secs(5));
}

#[tokio::test(start_paused = true)]
async fn beats_are_fenced_and_a_silent_instance_that_beats_is_up() {
    let directory = directory().await;
    directory.register(call("r1", 1, 5)).await.unwrap();
    let beat = |id: &str, incarnation| {
        directory.beat(&Beat { service: "ratings".to_owned(), id: id.parse().unwrap(), incarnation })
    };
    let refused = beat("r1", Some(4)).unwrap_err();
    assert_eq!(
        (refused.kind, refused.reason.as_str()),
        (Kind::Conflict, "incarnation 4 of r1 is over: 5 is registered")
    );
    let later = beat("r1", Some(6)).unwrap_err();
    assert!(later.kind == Kind::Unknown && later.reason.ends_with("register again"), "{later:?}");
    assert_eq!(beat("r2", None).unwrap_err().kind, Kind::Unknown);
    let mut reader = Reader::watch(&directory);
    reader.next::<WatchFrame>().await;
    assert_eq!(reader.presence().await, Presence::Silent);
    beat("r1", Some(5)).unwrap();
    beat("r1", None).unwrap();
    assert_eq!(reader.presence().await, Presence::Up);
}

#[tokio::test(start_paused = true)]
async fn a_reader_that_lags_skips_what_is_over() {
    let directory = directory().await;
    let mut reader = Reader::watch(&directory);
    let mut seen: BTreeMap<InstanceId, Listed> = BTreeMap::new();
    let mut lines = 0;
    for round in 1..=3u64 {
        for port in 1..=600 {
            directory.register(call(&format!("r{port}"), port, round)).await.unwrap();
            directory.register(Register { weight: 2, ..call(&format!("r{port}"), port, round) }).await.unwrap();
        }
        let listing = directory.views().list("ratings").listing.clone();
        let mut revision = 0;
        while revision < listing.revision {
            lines += 1;
            match reader.next().await.unwrap() {
                WatchFrame::Snapshot(none) => assert_eq!(none.instances, []),
                WatchFrame::Changed { revision: at, listed } => {
                    assert!(at > revision);
                    revision = at;
                    seen.insert(listed.instance.id.clone(), listed);
                }
                other => panic!("{other:?}"),
            }
        }
        let mut replayed: Vec<_> = seen.values().cloned().collect();
        replayed.sort_by_key(|listed| listed.instance.number);
        assert_eq!(replayed, listing.instances);
    }
    assert_eq!(lines, 1 + 3 * 600, "each instance once, though it has changed twice");
}

#[tokio::test(start_paused = true)]
async fn a_watch_resumes_where_it_ended() {
    let directory = directory().await;
    let epoch = directory.views().epoch();
    for port in 1..=3 {
        directory.register(call(&format!("r{port}"), port, 1)).await.unwrap();
    }
    let mut reader = Reader::new(directory.watch(&ratings(Some((epoch, 1)))).unwrap());
    assert_eq!(reader.next().await, Some(WatchFrame::Resumed { epoch, revision: 1 }));
    for id in ["r2", "r3"] {
        let Some(WatchFrame::Changed { listed, .. }) = reader.now().await else { panic!("{id} is missing") };
        assert_eq!(listed.instance.id.as_str(), id);
    }
    assert_eq!(reader.now::<WatchFrame>().await, None);
    for (seen, why) in [((epoch, 99), "of the future"), ((epoch - 1, 1), "of another life")] {
        let mut reader = Reader::new(directory.watch(&ratings(Some(seen))).unwrap());
        assert!(matches!(reader.next().await, Some(WatchFrame::Snapshot(_))), "{why}");
    }
}

#[tokio::test(start_paused = true)]
async fn watchers_of_one_revision_share_their_lines() {
    let directory = directory().await;
    directory.register(call("r1", 1, 1)).await.unwrap();
    let mut readers = [0, 1].map(|_| directory.watch(&ratings(None)).unwrap().boxed_local());
    for _ in 0..2 {
        let mut lines = Vec::new();
        for reader in &mut readers {
            lines.push(reader.next().await.unwrap());
        }
        assert_eq!(lines[0].as_ptr(), lines[1].as_ptr());
        directory.register(call("r1", 1, 2)).await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_drain_is_over_when_watchers_have_been_told() {
    let directory = directory().await;
    directory.register(call("r1", 1, 1)).await.unwrap();
    let drain = |deadline_ms| Drain {
        service: "ratings".to_owned(),
        id: "r1".parse().unwrap(),
        incarnation: None,
        deadline_ms,
    };
    let mut reader = Reader::watch(&directory);
    let _never_reads = Reader::watch(&directory);
    reader.next::<WatchFrame>().await;
    let begin = Instant::now();
    let mut presence = Presence::Up;
    let drained = tokio::select! {
        drained = directory.drain(drain(700)) => drained.unwrap(),
        _ = async { loop { presence = reader.presence().await } } => unreachable!(),
    };
    assert_eq!(presence, Presence::Draining);
    assert_eq!((drained.told, drained.untold, begin.elapsed()), (1, 1, Duration::from_millis(700)));
    drop(_never_reads);
    let begin = Instant::now();
    let again = directory.drain(drain(700)).await.unwrap();
    assert_eq!((again.revision, again.told, again.untold), (drained.revision, 1, 0));
    assert_eq!(begin.elapsed(), Duration::ZERO, "all know it");
    assert_eq!(directory.drain(drain(60_001)).await.unwrap_err().kind, Kind::Invalid);
}

#[tokio::test(start_paused = true)]
async fn a_drain_waits_for_nobody_who_asks_only_for_what_comes_later() {
    let directory = directory().await;
    directory.register(call("r1", 1, 1)).await.unwrap();
    let follows = |revision| {
        let directory = Arc::clone(&directory);
        tokio::spawn(async move { directory.follow(Some("ratings"), revision, Duration::from_secs(600)).await })
    };
    let (now, later) = (follows(1), follows(1_000));
    sleep(Duration::from_millis(1)).await;
    let drain =
        Drain { service: "ratings".to_owned(), id: "r1".parse().unwrap(), incarnation: None, deadline_ms: 60_000 };
    let begin = Instant::now();
    let drained = directory.drain(drain).await.unwrap();
    assert_eq!((drained.untold, begin.elapsed()), (0, Duration::ZERO));
    assert!(drained.told > 0);
    assert!(now.await.unwrap().is_ok() && !later.is_finished());
}

#[tokio::test(start_paused = true)]
async fn a_hold_that_is_dropped_is_gone_and_a_silent_one_ends() {
    let directory = directory().await;
    let mut reader = Reader::watch(&directory);
    reader.next::<WatchFrame>().await;
    let mut held = Reader::hold(&directory, call("r1", 1, 1)).await;
    assert!(matches!(held.next().await, Some(HoldFrame::Held(registered)) if registered.number == 1));
    assert_eq!(held.next().await, Some(HoldFrame::Bookmark));
    assert_eq!(reader.presence().await, Presence::Up);
    drop(held);
    loop {
        match reader.next().await {
            Some(WatchFrame::Gone { why, .. }) => break assert_eq!(why, GoneReason::ConnectionClosed),
            Some(WatchFrame::Bookmark { .. }) => {}
            other => panic!("{other:?}"),
        }
    }
    let mut held = Reader::hold(&directory, call("r1", 1, 1)).await;
    let begin = Instant::now();
    while held.next::<HoldFrame>().await.is_some() {}
    assert_eq!(begin.elapsed().as_secs(), 105, "its process is paused, its connection is not closed");
}

#[tokio::test(start_paused = true)]
async fn whoever_goes_before_the_answer_holds_nothing() {
    let directory = directory().await;
    let asked = directory.hold(call("r1", 1, 1), None);
    assert!(poll_immediate(asked).await.is_none(), "dropped while it waits");
    sleep(Duration::from_secs(1)).await;
    assert_eq!(directory.views().list("ratings").listing.instances, []);
    assert_eq!(directory.views().revision(), 2, "it was there for a moment");
}

#[tokio::test(start_paused = true)]
async fn a_later_incarnation_ends_a_stream_with_a_reason_and_the_same_without() {
    let directory = directory().await;
    let mut first = Reader::hold(&directory, call("r1", 1, 1)).await;
    first.next::<HoldFrame>().await;
    let mut second = Reader::hold(&directory, call("r1", 1, 1)).await;
    second.next::<HoldFrame>().await;
    assert!(matches!(poll_immediate(first.lines.next()).await, Some(None)), "the old connection's stream ends");
    drop(first);
    directory.register(call("r1", 1, 2)).await.unwrap();
    assert_eq!(second.now().await, Some(HoldFrame::Superseded { incarnation: 2 }));
    assert_eq!(second.next::<HoldFrame>().await, None);
    drop(second);
    sleep(Duration::from_secs(1)).await;
    assert_eq!(directory.views().services()[0].1, 1);
}

#[tokio::test(start_paused = true)]
async fn a_process_is_told_who_has_the_place_of_one_of_its_instances_and_keeps_the_others() {
    let directory = directory().await;
    let lease: HoldLease = serde_json::from_str(r#"{"lease":"process"}"#).unwrap();
    let mut held = Reader::new(directory.hold_lease(lease.clone(), None).await.unwrap().lines(|| true));
    held.next::<HoldFrame>().await;
    let of_lease = |call| directory.register(Register { lease: Some(lease.lease.clone()), ..call });
    for (id, port) in [("r1", 1), ("r2", 2), ("r3", 3)] {
        of_lease(call(id, port, 5)).await.unwrap();
    }
    of_lease(call("r1", 9, 6)).await.unwrap();
    assert_eq!(held.now::<HoldFrame>().await, None, "it knows what it says itself");
    directory.register(call("r1", 1, 7)).await.unwrap();
    directory.register(call("r1", 1, 8)).await.unwrap();
    directory.register(call("other", 2, 9)).await.unwrap();
    let replaced = |id: &str, incarnation| {
        Some(HoldFrame::Replaced { service: "ratings".to_owned(), id: id.parse().unwrap(), incarnation })
    };
    assert_eq!(held.next().await, replaced("r1", 7), "it was told nothing more, as it had no part in that");
    assert_eq!(held.next().await, replaced("r2", 9));
    assert_eq!(held.now::<HoldFrame>().await, None);
    sleep(Duration::from_secs(16)).await;
    directory.register(call("earlier", 3, 4)).await.unwrap();
    assert_eq!(held.next().await, replaced("r3", 4), "whoever is silent loses its address to anybody");
    assert_eq!(held.next().await, Some(HoldFrame::Bookmark));
    drop(held);
    sleep(Duration::from_secs(1)).await;
    let listed = directory.views().list("ratings").listing.instances.clone();
    let ids: Vec<_> = listed.iter().map(|listed| listed.instance.id.as_str()).collect();
    assert_eq!(ids, ["r1", "other", "earlier"]);
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_may_not_go_on_ends_and_what_it_stood_for_has_its_time() {
    let directory = directory().await;
    let lease: HoldLease = serde_json::from_str(r#"{"lease":"process"}"#).unwrap();
    let withdrawn = Arc::new(AtomicBool::new(false));
    let stands = |withdrawn: &Arc<AtomicBool>| {
        let withdrawn = Arc::clone(withdrawn);
        move || !withdrawn.load(Ordering::Relaxed)
    };
    let of_process = directory.hold_lease(lease.clone(), None).await.unwrap().lines(stands(&withdrawn));
    let of_process = Reader::new(of_process);
    directory.register(Register { lease: Some(lease.lease.clone()), ..call("r1", 1, 1) }).await.unwrap();
    let own = Reader::new(directory.hold(call("r2", 2, 1), None).await.unwrap().lines(stands(&withdrawn)));
    let unused = serde_json::from_str(r#"{"lease":"unused"}"#).unwrap();
    let unused = Reader::new(directory.hold_lease(unused, None).await.unwrap().lines(stands(&withdrawn)));
    let begin = Instant::now();
    withdrawn.store(true, Ordering::Relaxed);
    for mut held in [of_process, own, unused] {
        held.next::<HoldFrame>().await;
        assert_eq!(held.next::<HoldFrame>().await, None);
    }
    assert_eq!(begin.elapsed(), Duration::from_secs(5), "with the next bookmark");
    let listed = || directory.views().list("ratings").listing.instances.len();
    sleep(Duration::from_secs(99)).await;
    assert_eq!((listed(), directory.views().list("ratings").listing.instances[0].presence), (2, Presence::Silent));
    sleep(Duration::from_secs(2)).await;
    assert_eq!(listed(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_registry_that_stops_tells_when_to_return_and_that_nobody_is_gone() {
    let directory = directory().await;
    let mut reader = Reader::watch(&directory);
    let mut held = Reader::hold(&directory, call("r1", 1, 1)).await;
    held.next::<HoldFrame>().await;
    reader.next::<WatchFrame>().await;
    assert_eq!(reader.presence().await, Presence::Up);
    directory.stop.cancel();
    assert!(matches!(held.next().await, Some(HoldFrame::Closing { return_in_ms: ..=100 })));
    assert_eq!(held.next::<HoldFrame>().await, None);
    drop(held);
    assert!(matches!(reader.now().await, Some(WatchFrame::Closing { return_in_ms: ..=100 })));
    assert!(matches!(poll_immediate(reader.lines.next()).await, Some(None)));
    assert_eq!(directory.views().services()[0].1, 1);
}

#[tokio::test(start_paused = true)]
async fn watchers_are_bounded_and_leave_nothing_behind() {
    let limits = Limits { watchers: 2, ..Limits::default() };
    let directory = directory_with(Config { limits, ..Config::default() }).await;
    let watch = || directory.watch(&ratings(None)).map(Reader::new);
    let (first, second) = (watch().unwrap(), watch().unwrap());
    assert_eq!(watch().err().map(|refused| refused.kind), Some(Kind::Full));
    drop(first);
    let third = watch().unwrap();
    assert!(directory.views().get("ratings").is_some());
    drop((second, third));
    assert!(directory.views().get("ratings").is_none());
    assert!(watch().is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_service_that_is_empty_is_remembered_by_its_revision() {
    let directory = directory().await;
    assert_eq!(directory.views().list("ratings").listing.revision, 0);
    directory.register(call("r1", 1, 1)).await.unwrap();
    let leave = Deregister { service: "ratings".to_owned(), id: "r1".parse().unwrap(), incarnation: None };
    assert_eq!(directory.deregister(leave).await.unwrap().revision, 2);
    assert_eq!(directory.views().list("ratings").listing.revision, 2);
    assert_eq!(directory.register(call("r1", 1, 1)).await.unwrap().revision, 3);
}

#[tokio::test(start_paused = true)]
async fn without_its_writer_it_says_so_after_a_while() {
    let (directory, writer) = Directory::open(Config::default(), CancellationToken::new()).await.unwrap();
    let refused = directory.register(call("r1", 1, 1)).await.unwrap_err();
    assert_eq!(refused.reason, "nothing could be kept for 5s: it is too slow; it may yet be done");
    drop(writer);
    assert_eq!(directory.register(call("r1", 1, 1)).await.unwrap_err().reason, "the registry is stopping");
}
