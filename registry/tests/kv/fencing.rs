//! Two who want one lock, of whom the first is paused for longer than its session lives.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::client::{Answer, Running, short};

const TTL: Duration = Duration::from_millis(500);
const DELAY: Duration = Duration::from_millis(600);
/// How much later than its time a session may end: a second that its last renewal may be old, and what it takes to find
/// out, on a machine that has other things to do as well.
const LATE: Duration = Duration::from_secs(4);

/// Work that is done under the lock: it takes no work of a lower lock index than before.
#[derive(Default)]
struct Work {
    highest: u64,
    done: Vec<&'static str>,
}

impl Work {
    fn take(&mut self, lock_index: u64, what: &'static str) {
        if lock_index >= self.highest {
            self.highest = lock_index;
            self.done.push(what);
        }
    }
}

#[expect(clippy::unwrap_used, reason = "what helps a test fails as a test does")]
fn lock_index(answer: &Answer) -> u64 {
    answer.one()["LockIndex"].as_u64().unwrap()
}

#[tokio::test]
async fn who_was_paused_past_its_time_does_not_have_the_lock_and_can_be_told_from_who_has() {
    let registry = Running::start(short()).await;
    let terms = format!(r#"{{"TTL":"{}ms","LockDelay":"{}ms"}}"#, TTL.as_millis(), DELAY.as_millis());
    let mut work = Work::default();

    let first = registry.session(&terms).await;
    assert!(registry.put(&format!("/v1/kv/lock?acquire={first}"), "first").await.is_true());
    let seen = registry.get("/v1/kv/lock").await;
    let (firsts, mut index) = (lock_index(&seen), seen.index());
    work.take(firsts, "first");
    // Renewed until well beyond its first time; then it is paused.
    let start = Instant::now();
    let mut renewed = start;
    while start.elapsed() < TTL * 3 {
        renewed = Instant::now();
        assert_eq!(registry.put(&format!("/v1/session/renew/{first}"), "").await.status, 200);
        sleep(TTL / 5).await;
    }

    // The second has no time of its own, and waits for the key, as clients do.
    let second = registry.session(r#"{"LockDelay":0}"#).await;
    assert!(!registry.put(&format!("/v1/kv/lock?acquire={second}"), "second").await.is_true());
    let released = loop {
        let seen = registry.get(&format!("/v1/kv/lock?index={index}&wait=5s")).await;
        index = seen.index();
        if seen.one().get("Session").is_none() {
            break Instant::now();
        }
    };
    let lived = released - renewed;
    assert!(lived >= TTL && lived < TTL + LATE, "the session has lived for {lived:?} after it was renewed");
    // The first may be at work: nobody has the lock yet.
    while !registry.put(&format!("/v1/kv/lock?acquire={second}"), "second").await.is_true() {
        assert!(released.elapsed() < DELAY + LATE, "the lock delay does not end");
        sleep(Duration::from_millis(20)).await;
    }
    // Counted from when the key was seen free, which was after it was.
    assert!(released.elapsed() + Duration::from_millis(100) >= DELAY, "{:?}", released.elapsed());
    let seconds = lock_index(&registry.get("/v1/kv/lock").await);
    assert_eq!(seconds, firsts + 1);
    work.take(seconds, "second");

    // The first wakes, and believes that it has the lock.
    let refused = registry.put(&format!("/v1/kv/lock?acquire={first}"), "first").await;
    assert_eq!((refused.status, refused.text().starts_with("invalid session")), (500, true));
    assert!(!registry.put(&format!("/v1/kv/lock?release={first}"), "first").await.is_true());
    assert!(!registry.put(&format!("/v1/kv/lock?cas={}", seen.index()), "first").await.is_true());
    assert_eq!(registry.put(&format!("/v1/session/renew/{first}"), "").await.status, 404);
    work.take(firsts, "first, too late");
    assert_eq!(work.done, ["first", "second"]);
    assert_eq!(registry.get("/v1/kv/lock?raw").await.text(), "second");
    registry.stop().await;
}
