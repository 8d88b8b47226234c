//! `kill -9` of a process that writes records, at any moment: between a record and its message above all.
//!
//! The process is this test program again, with [`the_process_that_is_killed`] alone in it. It says what was
//! acknowledged, and its messages go into a file, as to a post that lives on. Then somebody else opens the records.

use std::collections::HashSet;
use std::fs::{self, File};
use std::hash::{BuildHasher as _, RandomState};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use futures_util::FutureExt as _;
use tokio::time::{sleep, timeout};

use super::post::Post;
use super::world::{World, asking, message};
use crate::relay::Outlet;
use crate::{Ending, Records, State};

const URL: &str = "MAINSTAY_TEST_RECORDS";
const LEDGER: &str = "MAINSTAY_TEST_LEDGER";
const STUCK: &str = "MAINSTAY_TEST_STUCK";

mod sqlite {
    use super::{World, rounds};

    #[tokio::test]
    async fn a_killed_process_leaves_nothing_undone() {
        rounds(2, async || Some(World::sqlite().await)).await;
    }

    #[tokio::test]
    #[ignore = "takes its time: twenty rounds"]
    async fn twenty_killed_processes_leave_nothing_undone() {
        rounds(20, async || Some(World::sqlite().await)).await;
    }
}

#[cfg(feature = "postgres")]
mod postgres {
    use super::{World, rounds};

    #[tokio::test]
    async fn a_killed_process_leaves_nothing_undone() {
        rounds(2, World::postgres).await;
    }

    #[tokio::test]
    #[ignore = "takes its time: twenty rounds"]
    async fn twenty_killed_processes_leave_nothing_undone() {
        rounds(20, World::postgres).await;
    }
}

async fn rounds(rounds: u64, world: impl AsyncFn() -> Option<World>) {
    println!("round  killed after  records  complete  left for the next  published twice");
    for round in 0..rounds {
        let Some(World { records, url, keeper, .. }) = world().await else { return };
        drop(records);
        // At first, none of its messages leaves.
        self::round(round, &url, round.is_multiple_of(2)).await;
        drop(keeper);
    }
}

async fn round(round: u64, url: &str, stuck: bool) {
    let directory = tempfile::tempdir().unwrap();
    let ledger = directory.path().join("ledger");
    let (begun, finished) = tokio::task::spawn_blocking({
        let (url, ledger) = (url.to_owned(), ledger.clone());
        move || killed(&url, &ledger, stuck, 20 + (RandomState::new().hash_one(round) % 300) as usize)
    })
    .await
    .unwrap();

    let post = Post::new();
    let records = Records::open_with(url, post.outlet()).await.unwrap();
    let before: Vec<String> = lines(&ledger);
    let published = || before.iter().cloned().chain(post.ids());
    let mut kept = Kept::read(&records).await;
    let all_left = async {
        while published().collect::<HashSet<_>>() != kept.due() {
            sleep(Duration::from_millis(20)).await;
            // PostgreSQL goes on for a moment with what it was sent.
            kept = Kept::read(&records).await;
        }
    };
    if timeout(Duration::from_secs(20), all_left).await.is_err() {
        let (published, due): (HashSet<_>, _) = (published().collect(), kept.due());
        let (missing, alien): (Vec<_>, Vec<_>) =
            (due.difference(&published).collect(), published.difference(&due).collect());
        panic!("not published: {missing:?}; of no record: {alien:?}");
    }
    for (acknowledged, kept) in [(&begun, &kept.all), (&finished, &kept.complete)] {
        let lost: Vec<_> = acknowledged.iter().filter(|id| !kept.contains(*id)).collect();
        assert!(lost.is_empty(), "{lost:?} are lost");
    }
    let (due, left) = (kept.due().len(), post.ids().len());
    let (all, complete, twice) = (kept.all.len(), kept.complete.len(), published().count() - due);
    println!("{round:5}  {:12}  {all:7}  {complete:8}  {left:17}  {twice:15}", begun.len());
    assert!(!stuck || left == due, "{left} of {due}");
}

/// The records that are there.
struct Kept {
    all: HashSet<String>,
    complete: HashSet<String>,
}

impl Kept {
    async fn read(records: &Records) -> Self {
        let records = records.history("sums", SystemTime::now(), 1000).await.unwrap();
        let complete = records.iter().filter(|record| record.state == State::Complete);
        Self {
            complete: complete.map(|record| record.id.clone()).collect(),
            all: records.into_iter().map(|record| record.id).collect(),
        }
    }

    /// What is to be published.
    fn due(&self) -> HashSet<String> {
        let told = self.complete.iter().map(|id| format!("told-{id}-0"));
        self.all.iter().cloned().chain(told).collect()
    }
}

/// Starts a process, and kills it once it has begun so many requests: those begun, and those finished.
fn killed(url: &str, ledger: &Path, stuck: bool, after: usize) -> (Vec<String>, Vec<String>) {
    let this = module_path!().split_once("::").unwrap().1;
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", &format!("{this}::the_process_that_is_killed"), "--ignored", "--nocapture"]);
    command.env(URL, url).env(LEDGER, ledger).env(STUCK, stuck.to_string());
    let mut child = Killed(command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap());
    let (mut begun, mut finished) = (Vec::new(), Vec::new());
    for line in BufReader::new(child.0.stdout.take().unwrap()).lines() {
        match line.unwrap().split_once(' ') {
            Some(("begun", id)) => begun.push(id.to_owned()),
            Some(("finished", id)) => finished.push(id.to_owned()),
            _ => {}
        }
        if begun.len() == after {
            child.0.kill().unwrap();
        }
    }
    assert!(begun.len() >= after, "it ended after {}", begun.len());
    (begun, finished)
}

struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn lines(path: &Path) -> Vec<String> {
    fs::read_to_string(path).unwrap_or_default().lines().map(str::to_owned).collect()
}

#[tokio::test]
#[ignore = "it is started by others, and killed"]
async fn the_process_that_is_killed() {
    let Ok(url) = std::env::var(URL) else { return };
    let ledger = File::options().create(true).append(true).open(std::env::var(LEDGER).unwrap()).unwrap();
    let outlet = if std::env::var(STUCK).unwrap() == "true" { stuck() } else { writing(ledger) };
    let records = Records::open_with(&url, outlet).await.unwrap();
    println!();
    let working = (0..32).map(|_| work(records.clone()));
    let working = futures_util::future::join_all(working);
    // It ends with whoever has started it, and soon in any case.
    let alone = tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new()));
    tokio::select! {
        _ = working => {}
        _ = alone => {}
        () = sleep(Duration::from_secs(60)) => {}
    }
}

async fn work(records: Records) {
    loop {
        let new = asking().waiter("replies", "1");
        let id = new.id().to_owned();
        records.begin(new).await.unwrap();
        println!("begun {id}");
        records.step(&id, "dispatched", "me").await.unwrap();
        let told = message(&format!("told-{id}"));
        assert!(records.finish(&id, Ending::complete().tell(told)).await.unwrap());
        println!("finished {id}");
    }
}

fn stuck() -> Outlet {
    Arc::new(|_| std::future::pending().boxed())
}

/// A post that takes a moment, and that has a message for good once it has taken it.
fn writing(ledger: File) -> Outlet {
    let ledger = Arc::new(ledger);
    Arc::new(move |envelope| {
        let ledger = Arc::clone(&ledger);
        async move {
            sleep(Duration::from_micros(RandomState::new().hash_one(&envelope.id) % 3000)).await;
            (&*ledger).write_all(format!("{}\n", envelope.id).as_bytes()).unwrap();
            Ok(())
        }
        .boxed()
    })
}
