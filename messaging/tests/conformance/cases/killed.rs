//! The engine ends with SIGKILL and is started again.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use mainstay::contracts::hub::dead_letters;
use mainstay_messaging::{Consumer, Messages, Rules};
use parking_lot::Mutex;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use crate::server::Mortal;
use crate::support::{Answer, Note, RULES, channel, next, note, nothing, take, tell};

/// Until something has happened so often.
async fn until(mut happened: impl FnMut() -> bool) {
    while !happened() {
        sleep(Duration::from_millis(2)).await;
    }
}

pub(crate) async fn what_was_taken_is_there_after_a_kill(mut server: impl Mortal) {
    let messages = server.open().await;
    let mut consumer = channel(&messages, "a", RULES).await;
    for n in 0..50 {
        messages.publish(note(&n.to_string(), n)).await.unwrap();
    }
    server.kill().await;
    server.revive().await;
    assert!(messages.publish(note("7", 7)).await.unwrap().twice);
    assert!(take(&mut consumer, 50).await.into_iter().eq(0..50));
    nothing(&mut consumer).await;
}

pub(crate) async fn a_waiting_consumer_goes_on_after_a_kill(mut server: impl Mortal) {
    let (messages, other) = (server.open().await, server.open().await);
    let mut consumer = channel(&messages, "a", RULES).await;
    tell(&other, [1]).await;
    assert_eq!(take(&mut consumer, 1).await, [1]);
    let waiting = tokio::spawn(async move { take(&mut consumer, 1).await });
    server.kill().await;
    // What is published meanwhile waits for it, too.
    let published = tokio::spawn(async move { other.publish(note("it", 2)).await });
    server.revive().await;
    published.await.unwrap().unwrap();
    assert_eq!(waiting.await.unwrap(), [2]);
}

pub(crate) async fn asking_goes_on_after_a_kill(mut server: impl Mortal) {
    let (messages, other) = (server.open().await, server.open().await);
    let mut requests = channel(&other, "workers", RULES).await;
    let asker = messages.asker::<Answer>().await.unwrap();
    server.kill().await;
    server.revive().await;
    let answers = tokio::spawn(async move {
        loop {
            let request = next(&mut requests).await;
            other.reply(&request, &Answer { to: request.message.n }).await.unwrap();
            request.ack().await.unwrap();
        }
    });
    // The channel for replies may be gone, and is made again.
    let mut replies = 0;
    while replies < 3 {
        match asker.ask(&Note { n: 7 }, Instant::now() + Duration::from_secs(1)).await {
            Ok(reply) => {
                assert_eq!(reply, Answer { to: 7 });
                replies += 1;
            }
            Err(error) => assert!(error.is_unanswered(), "{error}"),
        }
    }
    answers.abort();
}

/// Publishes until told to stop: the notes that were taken.
async fn publish(messages: Messages, numbers: Arc<AtomicU32>, taken: Arc<Mutex<BTreeSet<u32>>>, stop: Arc<AtomicBool>) {
    while !stop.load(Ordering::Relaxed) {
        let n = numbers.fetch_add(1, Ordering::Relaxed);
        if messages.publish(note(&n.to_string(), n)).await.is_ok() {
            taken.lock().insert(n);
        }
    }
}

pub(crate) async fn killed_while_publishing_each_is_there_once(mut server: impl Mortal) {
    let messages = server.open().await;
    let mut consumer = channel(&messages, "a", RULES).await;
    let (numbers, taken, stop) = (Arc::default(), Arc::<Mutex<BTreeSet<u32>>>::default(), Arc::default());
    let mut publishers = JoinSet::new();
    for _ in 0..16 {
        publishers.spawn(publish(messages.clone(), Arc::clone(&numbers), Arc::clone(&taken), Arc::clone(&stop)));
    }
    until(|| taken.lock().len() > 100).await;
    server.kill().await;
    let before = taken.lock().len();
    server.revive().await;
    until(|| taken.lock().len() > before + 100).await;
    stop.store(true, Ordering::Relaxed);
    publishers.join_all().await;

    let taken = taken.lock().clone();
    let mut came = BTreeSet::new();
    while !taken.is_subset(&came) {
        for n in take(&mut consumer, 1).await {
            assert!(came.insert(n), "{n} is there twice");
        }
    }
    // Whatever else is there was published, and its publisher has not heard of it.
    assert!(came.len() <= usize::try_from(numbers.load(Ordering::Relaxed)).unwrap());
}

#[derive(Default)]
struct Consumed {
    effects: BTreeMap<u32, u32>,
    settled: BTreeSet<u32>,
    again: u32,
}

async fn consume(mut consumer: Consumer<Note>, consumed: Arc<Mutex<Consumed>>) {
    loop {
        let delivery = next(&mut consumer).await;
        let n = delivery.message.n;
        {
            let mut consumed = consumed.lock();
            *consumed.effects.entry(n).or_default() += 1;
            consumed.again += u32::from(consumed.settled.contains(&n));
        }
        if delivery.ack().await.is_ok() {
            consumed.lock().settled.insert(n);
        }
    }
}

pub(crate) async fn killed_while_consuming_none_is_lost<S: Mortal>(mut server: S) {
    const NOTES: usize = 300;
    let messages = server.open().await;
    let rules = Rules { visibility_ms: 1000, tries: 0, ..RULES };
    let consumed = Arc::<Mutex<Consumed>>::default();
    let mut consumers = JoinSet::new();
    for _ in 0..4 {
        let consumer = channel(&messages, "a", rules).await;
        consumers.spawn(consume(consumer, Arc::clone(&consumed)));
    }
    let publisher = messages.clone();
    let told = tokio::spawn(async move { tell(&publisher, 0..u32::try_from(NOTES).unwrap()).await });
    until(|| consumed.lock().settled.len() > NOTES / 3).await;
    server.kill().await;
    server.revive().await;
    told.await.unwrap();
    until(|| consumed.lock().settled.len() == NOTES).await;
    consumers.abort_all();
    let Consumed { effects, again, .. } = &*consumed.lock();
    assert_eq!(effects.len(), NOTES);
    assert!(!S::REMEMBERS_SETTLEMENTS || *again == 0, "{again} came again after they were settled");
}

async fn reject(mut consumer: Consumer<Note>, rejected: Arc<AtomicU32>) {
    loop {
        if next(&mut consumer).await.reject().await.is_ok() {
            rejected.fetch_add(1, Ordering::Relaxed);
        }
    }
}

pub(crate) async fn killed_while_rejecting_each_is_one_dead_letter(mut server: impl Mortal) {
    const NOTES: u32 = 200;
    let messages = server.open().await;
    let rules = Rules { visibility_ms: 1000, tries: 0, ..RULES };
    let mut letters = channel(&messages, &dead_letters("a"), RULES).await;
    let rejected = Arc::<AtomicU32>::default();
    let mut consumers = JoinSet::new();
    for _ in 0..4 {
        consumers.spawn(reject(channel(&messages, "a", rules).await, Arc::clone(&rejected)));
    }
    let publisher = messages.clone();
    let told = tokio::spawn(async move { tell(&publisher, 0..NOTES).await });
    until(|| rejected.load(Ordering::Relaxed) > NOTES / 4).await;
    server.kill().await;
    server.revive().await;
    told.await.unwrap();
    until(|| rejected.load(Ordering::Relaxed) >= NOTES).await;
    let mut dead = BTreeSet::new();
    while dead.len() < NOTES as usize {
        for n in take(&mut letters, 1).await {
            assert!(dead.insert(n), "{n} is there twice");
        }
    }
    nothing(&mut letters).await;
    consumers.abort_all();
}
