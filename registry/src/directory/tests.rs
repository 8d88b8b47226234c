use std::collections::BTreeMap;
use std::pin::Pin;
use std::time::Duration;

use futures_util::future::poll_immediate;
use futures_util::{Stream, StreamExt};
use mainstay_contracts::registry::{GoneReason, HoldFrame, InstanceId, Listed, Presence};
use serde::de::DeserializeOwned;

use super::*;
use crate::Limits;

fn directory() -> Arc<Directory> {
    Directory::new(Config::default(), 1_000, CancellationToken::new())
}

fn call(id: &str, port: u16, incarnation: u64) -> Register {
    let json =
        format!(r#"{{"service":"ratings","id":"{id}","address":"127.0.0.1:{port}","incarnation":{incarnation}}}"#);
    serde_json::from_str(&json).unwrap()
}

/// A stream as its reader sees it.
struct Reader(Pin<Box<dyn Stream<Item = Bytes>>>);

impl Reader {
    fn watch(directory: &Arc<Directory>) -> Self {
        let (snapshot, watch) = directory.watch("ratings").unwrap();
        Self(futures_util::stream::iter([snapshot.line()]).chain(watch.lines()).boxed_local())
    }

    fn hold(directory: &Arc<Directory>, call: Register) -> Self {
        Self(directory.hold(call).unwrap().lines().boxed_local())
    }

    async fn next<F: DeserializeOwned>(&mut self) -> Option<F> {
        self.0.next().await.map(|line| serde_json::from_slice(&line).unwrap())
    }

    /// The next frame, if there is one at this instant.
    async fn now<F: DeserializeOwned>(&mut self) -> Option<F> {
        poll_immediate(self.0.next()).await.flatten().map(|line| serde_json::from_slice(&line).unwrap())
    }

    async fn presence(&mut self) -> Presence {
        match self.next().await {
            Some(WatchFrame::Changed { listed, .. }) => listed.presence,
            Some(WatchFrame::Gone { .. }) => Presence::Gone,
            Some(WatchFrame::Bookmark { .. }) => Box::pin(self.presence()).await,
            other => panic!("{other:?} is no change"),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_timer_makes_silent_and_gone_when_nobody_asks() {
    let directory = directory();
    let mut reader = Reader::watch(&directory);
    assert!(matches!(reader.next().await, Some(WatchFrame::Snapshot(listing)) if listing.revision == 0));
    let begin = Instant::now();
    let follow = async {
        // Registered while the timer already sleeps without anything to wait for.
        directory.register(call("r1", 1, 1)).unwrap();
        let mut seen = Vec::new();
        for _ in 0..3 {
            seen.push((reader.presence().await, begin.elapsed().as_secs()));
        }
        seen
    };
    let seen = tokio::select! {
        biased;
        () = directory.expire() => unreachable!(),
        seen = follow => seen,
    };
    assert_eq!(seen, [(Presence::Up, 0), (Presence::Silent, 15), (Presence::Gone, 105)]);
}

#[tokio::test(start_paused = true)]
async fn the_timer_wakes_for_what_is_due_earlier_than_what_it_waits_for() {
    let directory = directory();
    let mut reader = Reader::watch(&directory);
    reader.next::<WatchFrame>().await;
    let begin = Instant::now();
    let follow = async {
        directory.register(call("r1", 1, 1)).unwrap();
        while reader.presence().await != Presence::Silent {}
        // The timer now waits for r1 to be gone, at 105 s.
        directory.register(call("r2", 2, 1)).unwrap();
        assert_eq!(reader.presence().await, Presence::Up);
        assert_eq!((reader.presence().await, begin.elapsed().as_secs()), (Presence::Silent, 30));
    };
    tokio::select! {
        () = directory.expire() => unreachable!(),
        () = follow => {}
    }
}

#[tokio::test(start_paused = true)]
async fn a_beat_wakes_no_watcher_and_a_quiet_stream_has_bookmarks() {
    let directory = directory();
    directory.register(call("r1", 1, 1)).unwrap();
    let mut reader = Reader::watch(&directory);
    reader.next::<WatchFrame>().await;
    let beat = Beat { service: "ratings".to_owned(), id: "r1".parse().unwrap(), incarnation: None };
    directory.beat(&beat).unwrap();
    assert_eq!(reader.now::<WatchFrame>().await, None);
    let begin = Instant::now();
    assert_eq!(reader.next().await, Some(WatchFrame::Bookmark { revision: 1 }));
    assert_eq!(begin.elapsed(), Duration::from_secs(5));
}

#[tokio::test(start_paused = true)]
async fn a_reader_that_lags_gets_a_snapshot_and_then_what_follows() {
    let directory = directory();
    let mut reader = Reader::watch(&directory);
    let mut seen: BTreeMap<InstanceId, Listed> = BTreeMap::new();
    let (mut snapshots, mut lines) = (0, 0);
    for round in 1..=3u64 {
        for port in 1..=u16::try_from(LAG).unwrap() + 1 {
            directory.register(call(&format!("r{port}"), port, round)).unwrap();
        }
        let listing = directory.list("ratings").listing.clone();
        let mut revision = 0;
        while revision < listing.revision {
            lines += 1;
            match reader.next().await.unwrap() {
                WatchFrame::Snapshot(all) => {
                    snapshots += 1;
                    revision = all.revision;
                    seen = all.instances.into_iter().map(|listed| (listed.instance.id.clone(), listed)).collect();
                }
                WatchFrame::Changed { revision: at, listed } => {
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
    assert_eq!((snapshots, lines), (4, 4), "the first, and one for each time it lagged");
    directory.register(call("r1", 1, 9)).unwrap();
    assert!(matches!(reader.now().await, Some(WatchFrame::Changed { .. })));
}

#[tokio::test(start_paused = true)]
async fn watchers_of_one_revision_share_one_snapshot_line() {
    let directory = directory();
    directory.register(call("r1", 1, 1)).unwrap();
    let lines = [0, 1].map(|_| directory.watch("ratings").unwrap().0.line());
    assert_eq!(lines[0].as_ptr(), lines[1].as_ptr());
}

#[tokio::test(start_paused = true)]
async fn a_hold_that_is_dropped_is_gone_and_a_silent_one_ends() {
    let directory = directory();
    let mut reader = Reader::watch(&directory);
    reader.next::<WatchFrame>().await;
    let mut held = Reader::hold(&directory, call("r1", 1, 1));
    assert!(matches!(held.next().await, Some(HoldFrame::Held(registered)) if registered.number == 1));
    assert_eq!(held.next().await, Some(HoldFrame::Bookmark));
    assert_eq!(reader.presence().await, Presence::Up);
    drop(held);
    let Some(WatchFrame::Gone { why, .. }) = reader.now().await else { panic!("not gone at once") };
    assert_eq!(why, GoneReason::ConnectionClosed);
    assert!(directory.inner.lock().holds.is_empty());

    let mut held = Reader::hold(&directory, call("r1", 1, 1));
    let begin = Instant::now();
    let drained = async { while held.next::<HoldFrame>().await.is_some() {} };
    tokio::select! {
        () = directory.expire() => unreachable!(),
        () = drained => {}
    }
    assert_eq!(begin.elapsed(), Duration::from_secs(105), "its process is paused, its connection is not closed");
}

#[tokio::test(start_paused = true)]
async fn a_later_incarnation_ends_a_stream_with_a_reason_and_the_same_without() {
    let directory = directory();
    let mut first = Reader::hold(&directory, call("r1", 1, 1));
    first.next::<HoldFrame>().await;
    let mut second = Reader::hold(&directory, call("r1", 1, 1));
    second.next::<HoldFrame>().await;
    assert!(matches!(poll_immediate(first.0.next()).await, Some(None)), "the old connection's stream ends");
    drop(first);
    directory.register(call("r1", 1, 2)).unwrap();
    assert_eq!(second.now().await, Some(HoldFrame::Superseded { incarnation: 2 }));
    assert_eq!(second.next::<HoldFrame>().await, None);
    drop(second);
    assert_eq!(directory.services().services["ratings"], 1);
}

#[tokio::test(start_paused = true)]
async fn a_registry_that_stops_tells_nobody_that_instances_are_gone() {
    let directory = directory();
    let mut reader = Reader::watch(&directory);
    let mut held = Reader::hold(&directory, call("r1", 1, 1));
    held.next::<HoldFrame>().await;
    reader.next::<WatchFrame>().await;
    directory.stop.cancel();
    assert_eq!(held.next::<HoldFrame>().await, None);
    drop(held);
    assert!(matches!(poll_immediate(reader.0.next()).await, Some(None)), "the stream ends, and says nothing");
    assert_eq!(directory.services().services["ratings"], 1);
}

#[tokio::test(start_paused = true)]
async fn watchers_are_bounded_and_leave_nothing_behind() {
    let limits = Limits { watchers: 2, ..Limits::default() };
    let directory = Directory::new(Config { limits, ..Config::default() }, 1, CancellationToken::new());
    let (first, second) = (directory.watch("a").unwrap(), directory.watch("a").unwrap());
    assert_eq!(directory.watch("b").unwrap_err().kind, crate::roster::Kind::Full);
    drop(first);
    let third = directory.watch("a").unwrap();
    drop((second, third));
    assert!(directory.inner.lock().channels.is_empty());
    assert!(directory.watch("b").is_ok());
}
