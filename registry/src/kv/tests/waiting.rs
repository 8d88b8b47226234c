//! Who waits is woken by what they wait for, and by nothing else.

use futures_util::future::poll_immediate;
use tokio::time::{Instant, advance};
use tokio_util::sync::CancellationToken;

use super::*;
use crate::kv::board::Subject;

const LONG: Duration = Duration::from_secs(300);

fn key(key: &str) -> Subject {
    Subject::Key(key.to_owned())
}

fn prefix(prefix: &str) -> Subject {
    Subject::Prefix(prefix.to_owned())
}

#[tokio::test(start_paused = true)]
async fn a_key_wakes_its_own_waiters_when_it_comes_changes_and_goes() {
    let mut bench = Bench::default();
    let board = Arc::clone(&bench.board);
    for (what, subject) in [("key", key("a/b")), ("prefix", prefix("a/")), ("all", prefix(""))] {
        for step in 0..3 {
            let revision = match &subject {
                Subject::Prefix(prefix) => board.under(prefix).revision,
                _ => board.key("a/b").revision,
            };
            let mut waiting = Box::pin(board.wait(&subject, revision, LONG));
            assert!(poll_immediate(&mut waiting).await.is_none());
            if what != "all" {
                bench.open(terms(10));
                for other in ["a", "a/b/c", "b"].iter().filter(|_| what == "key") {
                    bench.put(other, &bench.revision.to_string(), On::Always).unwrap();
                }
                bench.put("b", &bench.revision.to_string(), On::Always).unwrap();
                bench.delete("b", None);
                // What comes next is the very next revision.
                assert!(poll_immediate(&mut waiting).await.is_none(), "{what} {step}: woken by something else");
            }
            match step {
                0 => drop(bench.put("a/b", "1", On::Always)),
                1 => drop(bench.put("a/b", "2", On::Always)),
                _ => drop(bench.delete("a/b", None)),
            }
            assert_eq!(poll_immediate(&mut waiting).await, Some(Ok(())), "{what} {step}: not woken");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn nobody_waits_longer_than_they_said() {
    let bench = Bench::default();
    let start = Instant::now();
    bench.board.wait(&key("a"), 0, LONG).await.unwrap();
    assert_eq!(start.elapsed(), LONG);
}

#[tokio::test(start_paused = true)]
async fn who_knows_less_than_there_is_does_not_wait() {
    let mut bench = Bench::default();
    let board = Arc::clone(&bench.board);
    let subject = key("a");
    let mut first = Box::pin(board.wait(&subject, 0, LONG));
    assert!(poll_immediate(&mut first).await.is_none());
    bench.put("a", "1", On::Always).unwrap();
    assert_eq!(poll_immediate(&mut first).await, Some(Ok(())), "the very first change of all is one");
    bench.put("a", "2", On::Always).unwrap();
    for subject in [key("a"), prefix(""), prefix("a")] {
        assert_eq!(poll_immediate(board.wait(&subject, 1, LONG)).await, Some(Ok(())), "{subject:?}");
    }
    let mut waiting = Box::pin(board.wait(&Subject::Sessions, 0, LONG));
    assert!(poll_immediate(&mut waiting).await.is_none());
    bench.put("a", "3", On::Always).unwrap();
    assert!(poll_immediate(&mut waiting).await.is_none(), "a key is no session");
    bench.open(terms(10));
    assert_eq!(poll_immediate(&mut waiting).await, Some(Ok(())));
}

#[tokio::test(start_paused = true)]
async fn so_many_wait_and_no_more_until_the_registry_stops() {
    let stop = CancellationToken::new();
    let board = Board::new(0, 0, 1, stop.clone());
    let (subject, other) = (key("a"), key("b"));
    let mut waiting = Box::pin(board.wait(&subject, 0, LONG));
    assert!(poll_immediate(&mut waiting).await.is_none());
    let refused = board.wait(&other, 0, LONG).await.unwrap_err();
    assert_eq!((refused.kind, refused.reason.contains("1 requests wait")), (Kind::Full, true));
    advance(Duration::from_secs(1)).await;
    stop.cancel();
    assert_eq!(poll_immediate(&mut waiting).await, Some(Ok(())));
    drop(waiting);
    let mut waiting = Box::pin(board.wait(&other, 0, LONG));
    assert_eq!(poll_immediate(&mut waiting).await, Some(Ok(())), "its place is free again");
}
