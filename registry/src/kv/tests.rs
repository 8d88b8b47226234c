mod bench;
mod model;
mod waiting;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use self::bench::{Bench, S, terms};
use super::*;

#[test]
fn a_put_demands_what_it_says_and_counts_only_if_it_changes_something() {
    let mut bench = Bench::default();
    assert_eq!(bench.put("a", "1", On::Unchanged(Some(7))), Ok(false), "it is not there");
    assert_eq!(bench.put("a", "1", On::Unchanged(None)), Ok(true));
    assert_eq!(bench.put("a", "2", On::Unchanged(None)), Ok(false), "it is there");
    assert_eq!((bench.entry("a").created, bench.revision), (1, 1));
    assert_eq!(bench.put("a", "1", On::Always), Ok(true));
    assert_eq!(bench.revision, 1, "nothing has changed");
    assert_eq!(bench.put("a", "2", On::Unchanged(Some(1))), Ok(true));
    let entry = bench.entry("a");
    assert_eq!((entry.created, entry.modified, &entry.value[..]), (1, 2, &b"2"[..]));
    assert!(!bench.delete("a", Some(1)) && bench.delete("a", Some(2)) && bench.delete("a", Some(9)));
    assert_eq!((bench.revision, bench.board.key("a").revision, bench.board.key("a").what), (3, 3, None));
}

#[test]
fn a_lock_is_one_sessions_and_its_index_grows_with_each_holder() {
    let mut bench = Bench::default();
    let (a, b) = (bench.open(terms(10)), bench.open(terms(10)));
    assert_eq!(bench.acquire("job", &a), Ok(true));
    assert_eq!(bench.acquire("job", &b), Ok(false));
    assert_eq!(bench.put("job", "again", On::Acquire(Arc::clone(&a))), Ok(true), "its holder has it");
    assert_eq!((bench.entry("job").lock_index, bench.entry("job").session.clone()), (1, Some(Arc::clone(&a))));
    assert_eq!(bench.release("job", &b), Ok(false), "it is not theirs");
    assert_eq!(bench.put("job", "x", On::Always), Ok(true), "a lock is an agreement");
    assert_eq!(bench.entry("job").session, Some(Arc::clone(&a)));
    assert_eq!(bench.release("job", &a), Ok(true));
    assert_eq!(bench.acquire("job", &b), Ok(true), "who gives it back is not at work any more");
    assert_eq!(bench.entry("job").lock_index, 2);
    let refused = bench.acquire("job", &"nobody".into()).unwrap_err();
    assert_eq!((refused.kind, refused.reason.starts_with("invalid session")), (Kind::Unknown, true));
}

#[test]
fn a_session_ends_after_its_time_and_never_before() {
    let mut bench = Bench::default();
    let id = bench.open(terms(10));
    bench.acquire("job", &id).unwrap();
    bench.pass_to(8 * S);
    assert!(bench.session(&id).unwrap().renew(bench.now()));
    // Renewed 8 s in, at a time that may be a second old.
    bench.pass_to(18 * S + 999);
    assert_eq!(bench.entry("job").session, Some(Arc::clone(&id)));
    bench.pass_to(19 * S + 128);
    assert_eq!((bench.entry("job").session.clone(), bench.session(&id).is_none()), (None, true));
    assert_eq!(bench.renew(&id).unwrap_err().kind, Kind::Unknown);
}

#[test]
fn a_session_without_a_time_is_there_until_it_is_ended() {
    let mut bench = Bench::default();
    let id = bench.open(Terms { ttl: None, ..terms(0) });
    bench.pass_to(90_000 * S);
    assert_eq!(bench.acquire("job", &id), Ok(true));
    bench.end(&id);
    assert_eq!((bench.entry("job").session.clone(), bench.board.sessions().what.len()), (None, 0));
}

#[test]
fn nobody_locks_what_a_session_has_left_behind_before_its_delay_is_over() {
    for behavior in [Behavior::Release, Behavior::Delete] {
        let mut bench = Bench::default();
        let (a, b) = (bench.open(Terms { behavior, ..terms(10) }), bench.open(Terms { ttl: None, ..terms(0) }));
        bench.acquire("job", &a).unwrap();
        bench.end(&a);
        assert_eq!(bench.board.key("job").what.is_some(), behavior == Behavior::Release);
        bench.pass_to(15 * S - 1);
        assert_eq!(bench.acquire("job", &b), Ok(false), "{behavior:?}");
        assert_eq!(bench.acquire("other", &b), Ok(true));
        bench.pass_to(15 * S);
        assert_eq!(bench.acquire("job", &b), Ok(true), "{behavior:?}");
        let lock_index = bench.entry("job").lock_index;
        assert!(lock_index == 2 || behavior == Behavior::Delete && lock_index > 2, "{behavior:?}: {lock_index}");
    }
}

#[test]
fn each_holder_has_a_greater_lock_index_also_of_a_key_that_is_deleted_and_forgotten_meanwhile() {
    let mut bench = Bench::default();
    let id = bench.open(Terms { lock_delay: Duration::ZERO, ..terms(10) });
    let mut last = 0;
    for round in 0..5 {
        assert_eq!(bench.acquire("job", &id), Ok(true));
        let lock_index = bench.entry("job").lock_index;
        assert!(lock_index > last, "{round}: {lock_index} after {last}");
        last = lock_index;
        match round {
            0 => drop(bench.release("job", &id)),
            1 => drop(bench.delete("job", None)),
            2 => bench.delete_under(""),
            _ => {
                bench.delete("job", None);
                for number in 0..GRAVES {
                    bench.put(&format!("x{}", number % 3), "", On::Always).unwrap();
                    bench.delete_under("x");
                }
                assert!(!bench.kv.deleted.contains_key("job"), "nobody remembers it");
            }
        }
    }
    assert!(bench.kv.deleted.len() <= GRAVES);
    bench.acquire("never", &id).unwrap();
    bench.put("plain", "", On::Always).unwrap();
    assert!(bench.entry("plain").lock_index > 0, "where some are forgotten, it may have been one of them");
}

#[test]
fn a_renewal_and_the_verdict_at_one_time_cannot_both_be_right() {
    let session = Session::new("id".into(), terms(10), 1, Time::default());
    let after = Time::from_millis(20 * S);
    assert!(!session.is_over(Time::from_millis(10 * S)), "it has its second");
    assert!(session.is_over(after));
    assert!(!session.renew(after), "it is being ended, and nobody may say that it is there");
}

#[test]
fn on_two_threads_a_renewal_that_counts_is_seen_by_the_verdict() {
    const ROUNDS: usize = 20_000;
    let sessions: Vec<_> = (0..ROUNDS).map(|_| Session::new("id".into(), terms(10), 1, Time::default())).collect();
    let (late, turn) = (Time::from_millis(15 * S), AtomicUsize::new(0));
    // Each begins a round when the other does.
    let begin = |round: usize| {
        turn.fetch_add(1, Ordering::SeqCst);
        while turn.load(Ordering::SeqCst) < 2 * (round + 1) {
            std::hint::spin_loop();
        }
    };
    let (renewed, over) = std::thread::scope(|scope| {
        let rounds = || sessions.iter().enumerate();
        let renew = |(round, session): (usize, &Session)| {
            begin(round);
            session.renew(late)
        };
        let judge = |(round, session): (usize, &Session)| {
            begin(round);
            session.is_over(late)
        };
        let renewing = scope.spawn(move || rounds().map(renew).collect::<Vec<_>>());
        let judged: Vec<_> = rounds().map(judge).collect();
        (renewing.join().unwrap(), judged)
    });
    let both = renewed.iter().zip(&over).filter(|(renewed, over)| **renewed && **over).count();
    assert_eq!(both, 0, "told that they count, and ended");
}

#[test]
fn what_there_is_no_room_for_is_refused_and_the_limit_named() {
    let limits = KvLimits { keys: 2, bytes: 20, value: 10, sessions: 1, ..KvLimits::default() };
    let mut bench = Bench::new(limits);
    let mut refused = |key: &str, value: &str| bench.put(key, value, On::Always).unwrap_err().reason;
    assert!(refused("a", "01234567890").contains("longer than 10 bytes"));
    assert!(refused(&"k".repeat(513), "").contains("512"));
    assert!(refused("", "").contains("512"));
    bench.put("a", "0123456789", On::Always).unwrap();
    assert!(bench.put("b", "0123456789", On::Always).unwrap_err().reason.contains("20 bytes"));
    bench.put("b", "", On::Always).unwrap();
    assert!(bench.put("c", "", On::Always).unwrap_err().reason.contains("2 keys"));
    bench.put("a", "01234", On::Always).unwrap();
    bench.put("b", "0123456789", On::Always).unwrap();
    let id = bench.open(Terms { behavior: Behavior::Delete, ..terms(10) });
    assert!(bench.try_open(terms(10)).unwrap_err().reason.contains("1 sessions"));
    bench.acquire("a", &id).unwrap();
    bench.end(&id);
    assert!(bench.put("c", "", On::Always).is_err(), "a key that cannot be locked yet takes room");
    bench.pass_to(16 * S);
    bench.put("c", "", On::Always).unwrap();
    assert!(bench.try_open(terms(9)).unwrap_err().reason.contains("at least 10s"));
}

#[test]
fn an_index_does_not_go_back_when_old_graves_are_forgotten() {
    let mut bench = Bench::default();
    bench.put("p/a", "", On::Always).unwrap();
    bench.put("p/b", "", On::Always).unwrap();
    bench.delete("p/b", None);
    assert_eq!(
        (bench.board.under("p/").revision, bench.board.under("q/").revision, bench.board.key("q").revision),
        (3, 0, 0)
    );
    for number in 0..GRAVES {
        bench.put("x", &number.to_string(), On::Always).unwrap();
        bench.delete("x", None);
    }
    assert_eq!(bench.kv.graves.len(), GRAVES + 1 - FORGOTTEN);
    let forgotten = bench.board.key("q").revision;
    assert!(forgotten > 3 && forgotten < bench.revision);
    assert_eq!((bench.board.under("p/").revision, bench.board.key("p/b").revision), (forgotten, forgotten));
    assert_eq!((bench.board.key("p/a").revision, bench.board.key("x").revision), (1, bench.revision));
}

#[test]
fn after_a_restart_everybody_has_their_full_time_and_the_grace() {
    let terms = Terms { behavior: Behavior::Delete, ..terms(10) };
    let entry = |session: &str, modified| {
        let session = Some(session.into());
        Arc::new(Entry { value: Bytes::new(), flags: 0, session, lock_index: 4, created: 1, modified })
    };
    let kept = Kept {
        keys: vec![("held".into(), entry("there", 2)), ("orphan".into(), entry("lost", 3))],
        sessions: vec![("there".into(), 1, terms)],
        delays: vec![("delayed".into(), Duration::from_secs(15))],
        graves: vec![Grave { revision: 6, key: "deleted".into() }],
        forgotten: 5,
        ..Kept::default()
    };
    let mut bench = Bench::default();
    bench.revision = 7;
    bench.kv.restore(kept, Duration::from_secs(15), Time::default());
    bench.fold();
    bench.pass_to(14 * S);
    assert_eq!(bench.acquire("delayed", &"there".into()), Ok(false));
    assert_eq!((bench.entry("orphan").session.clone(), bench.entry("orphan").lock_index), (None, 4));
    assert_eq!(bench.acquire("orphan", &"there".into()), Ok(false), "whoever held it may be at work");
    bench.pass_to(25 * S);
    assert_eq!(bench.acquire("delayed", &"there".into()), Ok(true));
    assert_eq!(bench.acquire("deleted", &"there".into()), Ok(true));
    assert_eq!(["delayed", "deleted"].map(|key| bench.entry(key).lock_index), [6, 7], "no index that there was before");
    assert!(bench.entry("held").session.is_some());
    bench.pass_to(27 * S);
    assert_eq!((bench.board.key("held").what, bench.board.key("delayed").what), (None, None));
}
