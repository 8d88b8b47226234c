//! The engine in a process that uses it: killed, with a dead consumer, on a disk that is full.
//!
//! The process is this test program again, which is asked for one of its ignored tests.

use std::collections::HashSet;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use futures_util::future::join_all;
use mainstay::contracts::Envelope;
use mainstay_messaging::{Messages, Rules};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::time::{Instant, timeout};

use crate::support::{News, directory, news, soon, within};

const DIRECTORY: &str = "MAINSTAY_TEST_DIRECTORY";
const PUBLISHERS: usize = 64;

async fn open(directory: &Path) -> Messages {
    let url = format!("embedded:{}", directory.display());
    let messages = Messages::open(&url).await.unwrap();
    messages.declare::<News>("workers", soon()).await.unwrap();
    messages
}

fn message(id: &str) -> Envelope {
    Envelope::new(id, &news(&"x".repeat(200))).unwrap()
}

/// Another process that does what an ignored test says; it ends with the test that asked for it.
fn process(test: &str, directory: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args([&format!("embedded::{test}"), "--exact", "--ignored", "--nocapture"])
        .env(DIRECTORY, directory)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap()
}

/// The directory, in a process that was asked for something.
fn given() -> Option<std::path::PathBuf> {
    std::env::var_os(DIRECTORY).map(Into::into)
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "what the process to be killed does"]
async fn works_until_it_is_killed() {
    let Some(directory) = given() else { return };
    let messages = open(&directory).await;
    let mut consumer = messages.consume::<News>("workers").unwrap();
    let consume = async {
        loop {
            let delivery = consumer.next().await.unwrap();
            println!("got {}", delivery.id);
            tokio::spawn(async move {
                if delivery.ack().await.is_ok() {
                    println!("done {}", delivery.id);
                }
            });
        }
    };
    let run = std::process::id();
    let publish = |publisher: usize| {
        let messages = messages.clone();
        tokio::spawn(async move {
            for number in 0.. {
                let id = format!("{run}-{publisher}-{number}");
                messages.publish(message(&id)).await.unwrap();
                println!("published {id}");
            }
        })
    };
    let publishers = join_all((0..PUBLISHERS).map(publish));
    tokio::select! {
        () = consume => {}
        _ = publishers => {}
    }
}

/// What processes said before they were killed.
#[derive(Default)]
struct Books {
    published: HashSet<String>,
    got: HashSet<String>,
    done: HashSet<String>,
    again: usize,
    doubled: usize,
}

impl Books {
    fn note(&mut self, line: &str) {
        match line.split_once(' ') {
            Some(("published", id)) => drop(self.published.insert(id.to_owned())),
            Some(("got", id)) => self.get(id),
            Some(("done", id)) => drop(self.done.insert(id.to_owned())),
            _ => {}
        }
    }

    fn get(&mut self, id: &str) {
        self.doubled += usize::from(self.done.contains(id));
        self.again += usize::from(!self.got.insert(id.to_owned()));
    }
}

async fn rounds(rounds: u32) {
    let directory = directory();
    let mut books = Books::default();
    for _ in 0..rounds {
        let mut child = process("works_until_it_is_killed", directory.path());
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let working = async {
            let known = books.published.len();
            while books.published.len() == known {
                books.note(&lines.next_line().await.unwrap().unwrap());
            }
        };
        within(working).await;
        let refused = Messages::open(&format!("embedded:{}", directory.path().display())).await.unwrap_err();
        assert!(refused.is_unavailable() && refused.to_string().contains("is in use"), "{refused}");

        // What it says meanwhile is read: else it would wait for that.
        let until = Instant::now() + Duration::from_millis(fastrand::u64(1..400));
        while let Ok(line) = tokio::time::timeout_at(until, lines.next_line()).await {
            books.note(&line.unwrap().unwrap());
        }
        child.start_kill().unwrap();
        while let Some(line) = within(lines.next_line()).await.unwrap() {
            books.note(&line);
        }
        within(child.wait()).await.unwrap();
    }
    let messages = open(directory.path()).await;
    let mut consumer = messages.consume::<News>("workers").unwrap();
    while let Ok(delivery) = timeout(Duration::from_secs(3), consumer.next()).await {
        let delivery = delivery.unwrap();
        books.get(&delivery.id);
        delivery.ack().await.unwrap();
    }
    let lost = books.published.iter().filter(|id| !books.got.contains(*id)).count();
    let (published, doubled) = (books.published.len(), books.doubled);
    println!(
        "{rounds} kills: {published} published and acknowledged, {lost} lost; {} delivered again before they were \
         settled, {doubled} after",
        books.again
    );
    assert!(published > 0);
    assert_eq!((lost, doubled), (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_is_killed_loses_nothing_and_doubles_nothing() {
    rounds(3).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes most of a minute: for scripts and the curious"]
async fn a_process_that_is_killed_twenty_times_loses_nothing_and_doubles_nothing() {
    rounds(20).await;
}

fn memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "what the process with a dead consumer does"]
async fn publishes_to_a_dead_consumer() {
    let Some(directory) = given() else { return };
    let messages = open(&directory).await;
    for thousand in 0..300 {
        let publish = |number: usize| {
            let (messages, id) = (messages.clone(), format!("{thousand}-{number}"));
            async move { messages.publish(message(&id)).await.unwrap() }
        };
        join_all((0..1000).map(publish)).await;
        if matches!(thousand, 0 | 99 | 199 | 299) {
            println!("memory with {} 000 waiting: {} KiB", thousand + 1, memory());
        }
    }
    let (begun, mut consumer) = (Instant::now(), messages.consume::<News>("workers").unwrap());
    let first = consumer.next().await.unwrap();
    println!("the first came after {:?}, {} KiB", begun.elapsed(), memory());
    first.ack().await.unwrap();
}

#[tokio::test]
#[ignore = "takes a minute: for scripts and the curious"]
async fn a_dead_consumer_takes_disk_and_no_memory() {
    let directory = directory();
    let mut child = process("publishes_to_a_dead_consumer", directory.path());
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut memories = Vec::new();
    while let Some(line) = lines.next_line().await.unwrap() {
        println!("{line}");
        let memory = line.split_once("waiting: ").and_then(|(_, rest)| rest.strip_suffix(" KiB"));
        memories.extend(memory.map(|memory| memory.parse::<u64>().unwrap()));
    }
    assert!(within(child.wait()).await.unwrap().success());
    assert_eq!(memories.len(), 4);
    assert!(memories[3] < memories[0] + 32 * 1024, "{memories:?} KiB");
    let begun = Instant::now();
    let messages = open(directory.path()).await;
    println!("opened with 299 999 waiting in {:?}", begun.elapsed());
    drop(messages);
}

/// A small disk of its own; gone with the test.
struct Disk(tempfile::TempDir);

impl Disk {
    fn new(size: &str) -> Self {
        let at = directory();
        let mount = std::process::Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs"])
            .arg(at.path())
            .status();
        assert!(mount.unwrap().success(), "only root can mount");
        Self(at)
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Lazily: the engine's thread may not have closed its files yet.
        let _ = std::process::Command::new("umount").arg("--lazy").arg(self.0.path()).status();
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "mounts a small disk, which only root can"]
async fn a_full_disk_is_said_and_all_goes_on_when_there_is_room() {
    let disk = Disk::new("24m");
    let ballast = disk.0.path().join("ballast");
    std::fs::write(&ballast, vec![7; 4 << 20]).unwrap();
    let messages = open(&disk.0.path().join("data")).await;
    let body = "x".repeat(2_000);
    let mut published = HashSet::new();
    let refused = loop {
        let id = Messages::new_id();
        match messages.publish(Envelope::new(&*id, &news(&body)).unwrap()).await {
            Ok(_) => drop(published.insert(id)),
            Err(error) => break error,
        }
    };
    println!("after {} messages: {refused}", published.len());
    assert!(refused.is_full() && refused.to_string().contains("the disk is full"), "{refused}");

    let mut consumer = messages.consume::<News>("workers").unwrap();
    let first = within(consumer.next()).await.unwrap();
    let unacknowledged = first.ack().await;
    println!("and acknowledging: {unacknowledged:?}");
    std::fs::remove_file(&ballast).unwrap();
    let again = messages.publish(message("there-is-room")).await;
    println!("and when there is room: {again:?}");
    assert!(again.is_ok());
    published.insert("there-is-room".to_owned());
    // A first settlement that failed holds back nothing: it may count late, or its message comes again.
    let mut got = HashSet::from([first.id.clone()]);
    drop(first.ack().await);
    while got.len() < published.len() {
        let delivery = within(consumer.next()).await.unwrap();
        delivery.ack().await.unwrap();
        got.insert(delivery.id.clone());
    }
    assert_eq!(got, published, "nothing that was acknowledged is lost");
}

#[tokio::test]
async fn a_setting_that_names_no_engine_says_what_it_could_be() {
    for url in ["", "embedded:", "messages", "redis://127.0.0.1:1", "/tmp/data"] {
        let error = Messages::open(url).await.unwrap_err();
        assert!(error.is_bad() && error.to_string().contains("embedded:DIR"), "{url}: {error}");
    }
    let rules = Rules { visibility_ms: 0, ..soon() };
    let directory = directory();
    let messages = open(directory.path()).await;
    let error = messages.declare::<News>("a", rules).await.unwrap_err();
    assert!(error.is_bad() && error.to_string().contains("visibility"), "{error}");
}
