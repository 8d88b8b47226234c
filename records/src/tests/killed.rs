//! `kill -9` of PostgreSQL, under load, again and again.

use std::collections::HashSet;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use parking_lot::Mutex;
use tokio::time::{Instant, sleep, timeout};

use super::post::Post;
use super::server::Server;
use super::world::{asking, message};
use crate::{Begun, Ending, Error, Records, Replied, State};

#[tokio::test]
async fn a_killed_server_loses_nothing() {
    rounds(3).await;
}

#[tokio::test]
#[ignore = "takes its time: twenty rounds"]
async fn a_server_killed_twenty_times_loses_nothing() {
    rounds(20).await;
}

/// What those who write have seen.
#[derive(Default)]
struct Seen {
    finished: Mutex<Vec<String>>,
    done: AtomicUsize,
    in_doubt: AtomicUsize,
    over: AtomicBool,
}

async fn rounds(rounds: u64) {
    // One of its own, as the others would not like it.
    let Some(server) = Server::new() else { return };
    let (server, post, seen) = (Arc::new(server), Post::new(), Arc::<Seen>::default());
    let records = Records::open_with(&server.new_database(), post.outlet()).await.unwrap();
    let working: Vec<_> = (0..16).map(|_| tokio::spawn(work(records.clone(), Arc::clone(&seen)))).collect();
    println!("round  finished  calls in doubt  ms until it went on, the server's start included");
    for round in 0..rounds {
        more(&seen, 50 + RandomState::new().hash_one(round) as usize % 200).await;
        let killed = Instant::now();
        let restarted = Arc::clone(&server);
        tokio::task::spawn_blocking(move || {
            restarted.kill();
            restarted.start();
        })
        .await
        .unwrap();
        // Some may have been acknowledged, and not yet counted, when it was killed.
        more(&seen, 17).await;
        let (done, in_doubt) = (seen.done.load(Ordering::Relaxed), seen.in_doubt.load(Ordering::Relaxed));
        println!("{round:5}  {done:8}  {in_doubt:14}  {}", killed.elapsed().as_millis());
    }
    seen.over.store(true, Ordering::Relaxed);
    join_all(working).await.into_iter().for_each(|worked| worked.unwrap());

    let finished = std::mem::take(&mut *seen.finished.lock());
    let mut due = HashSet::new();
    for id in &finished {
        let record = records.get(id).await.unwrap().unwrap_or_else(|| panic!("{id} is lost"));
        assert_eq!((record.state, record.replies.len()), (State::Complete, 1), "{record:?}");
        due.extend([id.clone(), format!("told-{id}-0")]);
    }
    let all_left = async {
        while post.ids().into_iter().collect::<HashSet<_>>() != due {
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(Duration::from_secs(20), all_left).await.expect("messages are lost, or of no record");
    println!(
        "{} finished, 0 lost; {} messages, 0 lost, {} published again under their ids",
        finished.len(),
        due.len(),
        post.ids().len() - due.len()
    );
}

async fn more(seen: &Seen, count: usize) {
    let then = seen.done.load(Ordering::Relaxed) + count;
    let more = async {
        while seen.done.load(Ordering::Relaxed) < then {
            sleep(Duration::from_millis(2)).await;
        }
    };
    timeout(Duration::from_secs(30), more).await.expect("it does not go on");
}

/// One request after the other, each as often as it takes.
async fn work(records: Records, seen: Arc<Seen>) {
    while !seen.over.load(Ordering::Relaxed) {
        let new = asking().waiter("replies", "1");
        let id = new.id().to_owned();
        let begun = persist(&seen, || records.begin(new.clone())).await;
        assert!(matches!(begun, Begun::New(_) | Begun::UnderWay(_)), "{begun:?}");
        let replied = persist(&seen, || records.reply(&id, "backend", &15)).await;
        assert!(matches!(replied, Replied::Stored { .. } | Replied::Twice), "{replied:?}");
        let ending = Ending::complete().tell(message(&format!("told-{id}")));
        // False, if it was this that ended it though it was not known to.
        persist(&seen, || records.finish(&id, ending.clone())).await;
        seen.finished.lock().push(id);
        seen.done.fetch_add(1, Ordering::Relaxed);
    }
}

async fn persist<T, F: Future<Output = Result<T, Error>>>(seen: &Seen, call: impl Fn() -> F) -> T {
    let begun = Instant::now();
    loop {
        match call().await {
            Ok(done) => return done,
            Err(error) => {
                assert!(error.is_unavailable() && begun.elapsed() < Duration::from_secs(30), "{error:?}");
                seen.in_doubt.fetch_add(1, Ordering::Relaxed);
                sleep(Duration::from_millis(10)).await;
            }
        }
    }
}
