use std::path::Path;

use mainstay::contracts::Message;
use mainstay::contracts::hub::Verdict;
use serde::{Deserialize, Serialize};
use tempfile::TempDir;

use super::*;

#[derive(Debug, Serialize, Deserialize)]
struct Reading(u32);
impl Message for Reading {
    const TOPIC: &'static str = "readings";
}

const RULES: Rules = Rules { visibility_ms: 30_000, tries: 3, backoff_ms: 0, kept: true };
const SOON: Duration = Duration::from_secs(5);

async fn open(dir: &Path) -> Arc<Embedded> {
    open_with(dir, Limits::default()).await
}

async fn open_with(dir: &Path, limits: Limits) -> Arc<Embedded> {
    Arc::new(Embedded::open(dir.to_owned(), limits).await.unwrap())
}

fn place(channel: &str) -> Place {
    Place { topic: "readings".to_owned(), channel: channel.to_owned() }
}

fn reading(number: u32) -> Envelope {
    Envelope::new(format!("reading-{number}"), &Reading(number)).unwrap()
}

async fn publish(engine: &Embedded, numbers: impl IntoIterator<Item = u32>) -> Vec<Published> {
    engine.publish(numbers.into_iter().map(reading).collect()).await.unwrap()
}

async fn receive(engine: &Arc<Embedded>, channel: &str, most: usize) -> Vec<Delivered> {
    Arc::clone(engine).receive(place(channel), most, Duration::ZERO).await.unwrap()
}

async fn settle(engine: &Embedded, channel: &str, delivered: &[Delivered], verdict: Verdict) -> Vec<bool> {
    let settlements = delivered.iter().map(|delivered| Settlement { receipt: delivered.receipt.clone(), verdict });
    engine.settle(place(channel), settlements.collect()).await.unwrap()
}

fn numbers(delivered: &[Delivered]) -> Vec<u32> {
    delivered.iter().map(|delivered| delivered.envelope.open::<Reading>().unwrap().0).collect()
}

fn waiting(engine: &Embedded) -> Vec<(String, u64, u64)> {
    let channels = engine.topics().into_iter().flat_map(|topic| topic.channels);
    channels.map(|channel| (channel.channel, channel.waiting, channel.in_flight)).collect()
}

#[tokio::test]
async fn every_channel_gets_a_copy_and_what_was_taken_outlives_the_engine() {
    let dir = TempDir::new().unwrap();
    let engine = open(dir.path()).await;
    engine.declare(place("a"), RULES).await.unwrap();
    engine.declare(place("b"), RULES).await.unwrap();
    assert_eq!(publish(&engine, 0..5).await, vec![Published::Taken; 5]);
    let taken = receive(&engine, "a", 3).await;
    assert_eq!(numbers(&taken), [0, 1, 2]);
    assert_eq!(settle(&engine, "a", &taken, Verdict::Ack).await, [true; 3]);
    drop(engine);

    let engine = open(dir.path()).await;
    assert_eq!(waiting(&engine), [("a".to_owned(), 2, 0), ("b".to_owned(), 5, 0)]);
    assert_eq!(numbers(&receive(&engine, "a", 9).await), [3, 4]);
    let taken = receive(&engine, "b", 9).await;
    assert_eq!(numbers(&taken), [0, 1, 2, 3, 4]);
    assert_eq!(settle(&engine, "b", &taken, Verdict::Ack).await, [true; 5]);
    engine.check().await.unwrap();
    assert_eq!(publish(&engine, 0..6).await[4..], [Published::Twice, Published::Taken], "ids are remembered");
}

#[tokio::test]
async fn what_was_out_at_the_end_stays_invisible_and_can_be_settled() {
    let dir = TempDir::new().unwrap();
    let engine = open(dir.path()).await;
    engine.declare(place("a"), RULES).await.unwrap();
    publish(&engine, 0..3).await;
    let taken = receive(&engine, "a", 2).await;
    // What was handed out is noted with the next thing that is written, and not forgotten before.
    engine.check().await.unwrap();
    publish(&engine, 3..4).await;
    drop(engine);

    let engine = open(dir.path()).await;
    assert_eq!(numbers(&receive(&engine, "a", 9).await), [2, 3]);
    assert_eq!(settle(&engine, "a", &taken[..1], Verdict::Ack).await, [true]);
    assert_eq!(settle(&engine, "a", &taken[1..], Verdict::Extend).await, [true]);
    assert_eq!(settle(&engine, "a", &taken[1..], Verdict::Nack).await, [true]);
    let again = receive(&engine, "a", 9).await;
    assert_eq!((numbers(&again), again[0].attempt), (vec![1], 2));
    assert_eq!(settle(&engine, "a", &taken[1..], Verdict::Ack).await, [false], "somebody else has it");
}

#[tokio::test]
async fn what_cannot_be_consumed_goes_to_the_dead_letters() {
    let dir = TempDir::new().unwrap();
    let engine = open(dir.path()).await;
    engine.declare(place("a"), RULES).await.unwrap();
    engine.declare(place("b"), RULES).await.unwrap();
    publish(&engine, 0..2).await;
    for attempt in 1..=3 {
        let taken = receive(&engine, "a", 1).await;
        assert_eq!((numbers(&taken), taken[0].attempt), (vec![0], attempt));
        settle(&engine, "a", &taken, Verdict::Nack).await;
    }
    let taken = receive(&engine, "a", 9).await;
    assert_eq!(numbers(&taken), [1]);
    settle(&engine, "a", &taken, Verdict::Reject).await;
    publish(&engine, 2..3).await;
    drop(engine);

    let engine = open(dir.path()).await;
    let dead = receive(&engine, "dead-a", 9).await;
    assert_eq!(numbers(&dead), [0, 1], "and no copy of what was published later");
    assert_eq!(settle(&engine, "dead-a", &dead[..1], Verdict::Ack).await, [true]);
    assert_eq!(settle(&engine, "dead-a", &dead[1..], Verdict::Reject).await, [true]);
    let left = [("a".to_owned(), 1, 0), ("b".to_owned(), 3, 0), ("dead-a".to_owned(), 1, 1)];
    assert_eq!(waiting(&engine), left, "a dead letter that is rejected is still one");
}

#[tokio::test]
async fn a_backlog_waits_on_disk_and_comes_in_order() {
    let dir = TempDir::new().unwrap();
    let engine = open(dir.path()).await;
    engine.declare(place("a"), RULES).await.unwrap();
    for batch in 0..10 {
        publish(&engine, batch * 500..(batch + 1) * 500).await;
    }
    let mut seen = Vec::new();
    while let taken @ [_, ..] = &receive(&engine, "a", 300).await[..] {
        seen.extend(numbers(taken));
        assert!(settle(&engine, "a", taken, Verdict::Ack).await.into_iter().all(|counts| counts));
    }
    assert!(seen.into_iter().eq(0..5000));
    assert_eq!(waiting(&engine), [("a".to_owned(), 0, 0)]);
}

#[tokio::test]
async fn who_waits_gets_what_comes() {
    let dir = TempDir::new().unwrap();
    let engine = open(dir.path()).await;
    engine.declare(place("a"), RULES).await.unwrap();
    let waits = tokio::spawn(Arc::clone(&engine).receive(place("a"), 9, SOON));
    publish(&engine, 7..8).await;
    assert_eq!(numbers(&waits.await.unwrap().unwrap()), [7]);
}

#[tokio::test]
async fn a_full_topic_says_so_and_takes_more_when_something_is_consumed() {
    let dir = TempDir::new().unwrap();
    let engine = open_with(dir.path(), Limits { messages: 3, ..Limits::default() }).await;
    engine.declare(place("a"), RULES).await.unwrap();
    let published = publish(&engine, 0..4).await;
    assert!(matches!(&published[3], Published::Full(why) if why.contains("3 messages")), "{published:?}");
    assert_eq!(publish(&engine, 0..1).await, [Published::Twice], "full or not");
    let taken = receive(&engine, "a", 1).await;
    settle(&engine, "a", &taken, Verdict::Ack).await;
    assert_eq!(publish(&engine, 3..4).await, [Published::Taken]);
}

#[tokio::test]
async fn a_second_engine_on_the_same_directory_is_refused() {
    let dir = TempDir::new().unwrap();
    let engine = open(dir.path()).await;
    let error = Embedded::open(dir.path().to_owned(), Limits::default()).await.unwrap_err();
    assert!(error.is_unavailable() && error.to_string().contains("is in use"), "{error}");
    drop(engine);
    open(dir.path()).await;
}

#[tokio::test]
async fn a_damaged_file_is_reported_and_left_alone() {
    let dir = TempDir::new().unwrap();
    let engine = open(dir.path()).await;
    engine.declare(place("a"), RULES).await.unwrap();
    for batch in 0..10 {
        publish(&engine, batch * 100..(batch + 1) * 100).await;
    }
    drop(engine);
    let path = dir.path().join("messages.db");
    // The keeper of the engine's time is gone with the next task, and the engine with it.
    tokio::task::yield_now().await;
    let db = rusqlite::Connection::open(&path).unwrap();
    db.busy_timeout(SOON).unwrap();
    db.query_row("PRAGMA wal_checkpoint(truncate)", (), |_| Ok(())).unwrap();
    db.close().unwrap();
    let whole = std::fs::read(&path).unwrap();
    let mut holed = whole.clone();
    holed[whole.len() / 2..whole.len() / 2 + 4096].fill(0xa5);
    for (bytes, how) in [
        (Vec::new(), "it is empty"),
        (b"no database".repeat(1000), "it cannot be read"),
        (whole[..whole.len() / 2].to_vec(), "damaged"),
        (holed, "damaged"),
    ] {
        std::fs::write(&path, &bytes).unwrap();
        let error = Embedded::open(dir.path().to_owned(), Limits::default()).await.unwrap_err();
        assert!(error.is_bad() && error.to_string().contains(how), "{error}");
        assert_eq!(std::fs::read(&path).unwrap(), bytes, "left as it is");
    }
}

#[tokio::test(start_paused = true)]
async fn a_channel_that_is_not_kept_is_in_memory_and_goes_when_nobody_asks() {
    let dir = TempDir::new().unwrap();
    let engine = open_with(dir.path(), Limits { unkept: 3, in_flight: 1, ..Limits::default() }).await;
    let rules = Rules { kept: false, ..RULES };
    assert!(engine.declare(place("dead-r"), rules).await.unwrap_err().is_bad());
    assert!(matches!(publish(&engine, 0..1).await[..], [Published::Unknown(_)]), "nor is there its topic");
    engine.declare(place("r"), rules).await.unwrap();
    let reply = |number| reading(number).only_to("r");
    assert_eq!(engine.publish(vec![reply(1), reply(1)]).await.unwrap(), [Published::Taken, Published::Twice]);
    let taken = receive(&engine, "r", 9).await;
    assert_eq!(numbers(&taken), [1]);
    tokio::time::advance(Duration::from_secs(31)).await;
    tokio::task::yield_now().await;
    assert_eq!(numbers(&receive(&engine, "r", 9).await), [0; 0], "delivered once, settled or not");
    assert_eq!(settle(&engine, "r", &taken, Verdict::Nack).await, [true]);
    assert_eq!(numbers(&receive(&engine, "r", 9).await), [0; 0]);
    engine.publish((10..13).map(reply).collect()).await.unwrap();
    assert_eq!(numbers(&receive(&engine, "r", 9).await), [10, 11, 12], "however many nobody has settled");
    let many = engine.publish((2..6).map(reply).collect()).await.unwrap();
    assert!(matches!(&many[3], Published::Full(why) if why.contains("channel r")), "{many:?}");
    tokio::time::advance(Duration::from_secs(61)).await;
    tokio::task::yield_now().await;
    assert!(Arc::clone(&engine).receive(place("r"), 1, Duration::ZERO).await.unwrap_err().is_unknown());
    assert!(matches!(engine.publish(vec![reply(9)]).await.unwrap()[..], [Published::Unknown(_)]));
}

#[tokio::test]
async fn a_file_that_is_full_takes_settlements_and_then_messages_again() {
    let dir = TempDir::new().unwrap();
    let engine = open_with(dir.path(), Limits { disk: 8 << 20, ..Limits::default() }).await;
    engine.declare(place("a"), RULES).await.unwrap();
    let long = |number: u32| Envelope { body: body(&"x".repeat(4_000)), ..reading(number) };
    let (mut taken, mut full) = (0, None);
    for batch in 0..100 {
        let messages = (0..100).map(|number| long(batch * 100 + number)).collect();
        for published in engine.publish(messages).await.unwrap() {
            match published {
                Published::Taken => taken += 1,
                other => full = Some(other),
            }
        }
        if full.is_some() {
            break;
        }
    }
    assert!(matches!(&full, Some(Published::Full(why)) if why.contains("on disk")), "{full:?} after {taken}");
    engine.check().await.unwrap();
    let mut settled = 0;
    while let delivered @ [_, ..] = &receive(&engine, "a", 200).await[..] {
        settled += settle(&engine, "a", delivered, Verdict::Ack).await.len();
    }
    assert_eq!(settled, taken);
    assert_eq!(publish(&engine, 100_000..100_001).await, [Published::Taken]);
}

fn body(text: &str) -> Box<serde_json::value::RawValue> {
    serde_json::value::to_raw_value(text).unwrap()
}
