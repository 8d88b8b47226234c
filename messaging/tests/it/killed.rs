//! `kill -9` of the hub's program under load: nothing that was acknowledged is lost, and nothing settled comes again.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use mainstay::contracts::Envelope;
use mainstay_messaging::{Consumer, Messages};
use parking_lot::Mutex;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::Child;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};

use crate::support::{BOUND, News, Registry, directory, news, port_for_program, program, soon, within};

const PUBLISHERS: usize = 64;
const CONSUMERS: usize = 2;
/// What each consumer has in its hands at most.
const AT_ONCE: usize = 64;

/// What is known of it all, to whoever publishes and consumes.
#[derive(Debug, Default)]
struct Books {
    /// Published, and acknowledged.
    published: Mutex<HashSet<String>>,
    /// What was done, by id; true once its settlement was acknowledged.
    done: Mutex<HashMap<String, bool>>,
    /// Deliveries of what was done and not settled: they have no effect.
    again: AtomicU64,
    /// Deliveries of what was settled.
    doubled: AtomicU64,
    stops: AtomicBool,
}

impl Books {
    fn lost(&self) -> usize {
        let done = self.done.lock();
        self.published.lock().iter().filter(|id| !done.contains_key(*id)).count()
    }

    /// Published, and its settlement not acknowledged yet.
    fn unsettled(&self) -> usize {
        let done = self.done.lock();
        self.published.lock().iter().filter(|id| done.get(*id) != Some(&true)).count()
    }
}

/// Publishes one message after the other, each until it is acknowledged.
async fn publish(messages: Messages, books: Arc<Books>, publisher: usize) {
    for number in 0.. {
        let id = format!("{publisher}-{number}");
        let envelope = Envelope::new(&*id, &news("is kept")).unwrap();
        while let Err(error) = messages.publish(envelope.clone()).await {
            assert!(error.is_unavailable(), "{error}");
        }
        books.published.lock().insert(id);
        if books.stops.load(Ordering::Relaxed) {
            return;
        }
    }
}

async fn consume(mut consumer: Consumer<News>, books: Arc<Books>) {
    let mut settling = JoinSet::new();
    loop {
        while settling.len() >= AT_ONCE {
            settling.join_next().await;
        }
        let delivery = consumer.next().await.unwrap();
        match books.done.lock().insert(delivery.id.clone(), false) {
            None => {}
            Some(false) => drop(books.again.fetch_add(1, Ordering::Relaxed)),
            Some(true) => drop(books.doubled.fetch_add(1, Ordering::Relaxed)),
        }
        let books = Arc::clone(&books);
        settling.spawn(async move {
            // If it fails, it comes again.
            if delivery.ack().await.is_ok() {
                books.done.lock().insert(delivery.id.clone(), true);
            }
        });
    }
}

async fn start(port: u16, directory: &TempDir, registry: &Registry) -> Child {
    let (listen, data) = (format!("127.0.0.1:{port}"), directory.path().to_string_lossy());
    let mut hub = program(&["--listen", &listen, "--data", &data, "--registry", &registry.address.to_string()]);
    let line = within(BufReader::new(hub.stdout.take().unwrap()).lines().next_line()).await.unwrap();
    assert!(line.is_some(), "the hub starts");
    hub
}

async fn rounds(rounds: u32) {
    let (directory, registry, port) = (directory(), Registry::start().await, port_for_program().await);
    let mut hub = start(port, &directory, &registry).await;
    let (messages, books) = (registry.messages().await, Arc::new(Books::default()));
    messages.declare::<News>("workers", soon()).await.unwrap();

    let (mut publishers, mut consumers) = (JoinSet::new(), JoinSet::new());
    for publisher in 0..PUBLISHERS {
        publishers.spawn(publish(messages.clone(), Arc::clone(&books), publisher));
    }
    for _ in 0..CONSUMERS {
        consumers.spawn(consume(messages.consume("workers").unwrap(), Arc::clone(&books)));
    }

    println!("round  published before  killed after  acknowledges again after");
    for round in 1..=rounds {
        let before = books.published.lock().len();
        let patience = Duration::from_millis(fastrand::u64(20..400));
        sleep(patience).await;
        hub.kill().await.unwrap();
        let killed = Instant::now();
        let published = books.published.lock().len();
        hub = start(port, &directory, &registry).await;
        let back = async {
            while books.published.lock().len() == published {
                sleep(Duration::from_millis(1)).await;
            }
        };
        timeout(BOUND, back).await.expect("publishers go on");
        println!("{round:5}  {:16}  {patience:>12?}  {:>23.0?}", published - before, killed.elapsed());
    }

    books.stops.store(true, Ordering::Relaxed);
    while let Some(published) = within(publishers.join_next()).await {
        published.unwrap();
    }
    // A backlog takes its time. That nothing more of it is settled would be the end.
    let (mut left, mut since) = (usize::MAX, Instant::now());
    while left > 0 && since.elapsed() < BOUND {
        sleep(Duration::from_millis(20)).await;
        let now = books.unsettled();
        if now < left {
            (left, since) = (now, Instant::now());
        }
    }
    let (published, done) = (books.published.lock().len(), books.done.lock().len());
    let (again, doubled) = (books.again.load(Ordering::Relaxed), books.doubled.load(Ordering::Relaxed));
    println!(
        "{rounds} kills: {published} published and acknowledged, {} lost; {done} done, {again} delivered again before they \
         were settled, {doubled} after",
        books.lost()
    );
    assert_eq!((books.lost(), left, doubled, done), (0, 0, 0, published));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hub_that_is_killed_loses_nothing_and_doubles_nothing() {
    rounds(3).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes most of a minute: for scripts and the curious"]
async fn a_hub_that_is_killed_twenty_times_loses_nothing_and_doubles_nothing() {
    rounds(20).await;
}
