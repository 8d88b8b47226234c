//! `kill -9` of a process that writes records, at any moment: between a record and its message above all.
//!
//! The process says what was acknowledged to it. Once it is dead, somebody else opens the records and what its messages
//! have gone to, and looks for what is lost, and for what is there twice.

mod killed;

use std::collections::HashSet;
use std::hash::{BuildHasher as _, RandomState};
use std::path::Path;
use std::time::{Duration, SystemTime};

use mainstay_messaging::{Envelope, Messages};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use self::killed::{CHANNEL, To};
use super::post::Post;
use super::world::{Sum, World};
use crate::{Records, State};

mod sqlite {
    use super::{World, rounds};

    #[tokio::test]
    async fn a_killed_process_leaves_nothing_undone() {
        rounds(3, async || Some(World::sqlite().await)).await;
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
        rounds(3, World::postgres).await;
    }

    #[tokio::test]
    #[ignore = "takes its time: twenty rounds"]
    async fn twenty_killed_processes_leave_nothing_undone() {
        rounds(20, World::postgres).await;
    }
}

async fn rounds(rounds: usize, world: impl AsyncFn() -> Option<World>) {
    println!("round  messages went to  killed after  records  complete  lost  left for the next  published twice");
    for round in 0..rounds {
        let Some(World { records, url, keeper, .. }) = world().await else { return };
        drop(records);
        let directory = tempfile::tempdir().unwrap();
        let to = [To::Nowhere, To::File, To::Messages][round % 3];
        self::round(round, &url, to, directory.path()).await;
        drop(keeper);
    }
}

async fn round(round: usize, url: &str, to: To, directory: &Path) {
    let after = 20 + (RandomState::new().hash_one(round) % 300) as usize;
    let (begun, finished) = killed::killed(url, to, directory, after).await;

    let post = Post::new();
    let (records, _consuming) = open(url, to, directory, &post).await;
    let before = killed::ledger(directory);
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
    let (begun, to) = (begun.len(), format!("{to:?}"));
    println!("{round:5}  {to:16}  {begun:12}  {all:7}  {complete:8}     0  {left:17}  {twice:15}");
    match &*to {
        "Nowhere" => assert_eq!(left, due),
        // Whoever consumes sees each once, however often it was published.
        "Messages" => assert_eq!(twice, 0),
        _ => {}
    }
}

/// Whoever comes after the process that was killed: all that is published or consumed from now on is in the post.
async fn open(url: &str, to: To, directory: &Path, post: &Post) -> (Records, JoinSet<()>) {
    let mut consuming = JoinSet::new();
    if to != To::Messages {
        return (Records::open_with(url, post.outlet()).await.unwrap(), consuming);
    }
    let messages = Messages::open(&killed::messages(directory)).await.unwrap();
    let (mut consumer, take) = (messages.consume::<Sum>(CHANNEL).unwrap(), post.outlet());
    consuming.spawn(async move {
        loop {
            let delivery = consumer.next().await.unwrap();
            take(Envelope::new(&*delivery.id, &delivery.message).unwrap()).await.unwrap();
            delivery.ack().await.unwrap();
        }
    });
    (Records::open(url, messages).await.unwrap(), consuming)
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
