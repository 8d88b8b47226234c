//! Mass loss, drains, and leases that several share.

use mainstay_contracts::registry::{Drain, LeaseId, Release, Undrain};

use super::*;
use crate::clock::Time;

fn service(count: u16) -> (Board, Time) {
    let (mut board, now) = Board::new(Config::default());
    for port in 1..=count {
        board.roster.register(call(&format!("r{port}"), port), now).unwrap();
    }
    (board, now)
}

/// Lets time go on, with some who beat.
fn beating(board: &mut Board, ids: std::ops::RangeInclusive<u16>, from: Time, seconds: u64) -> Time {
    let mut now = from;
    for _ in 0..seconds {
        ids.clone().for_each(|id| board.beat(&format!("r{id}"), now));
        board.pass(now, now + SECOND);
        now = now + SECOND;
    }
    now
}

fn lease(name: &str) -> LeaseId {
    name.parse().unwrap()
}

fn with_lease(id: &str, port: u16, name: &str) -> Register {
    Register { lease: Some(lease(name)), ..started(id, port, 1) }
}

#[test]
fn of_ten_three_may_go_and_four_are_suspect() {
    let (mut board, now) = service(10);
    let now = beating(&mut board, 4..=10, now, 106);
    assert_eq!(board.counts(), [7, 0, 0, 0]);
    let later = beating(&mut board, 7..=10, now, 106);
    assert_eq!(board.counts(), [4, 0, 3, 0], "six of ten within a lease");
    board.beat("r4", later);
    assert_eq!(board.counts(), [5, 0, 2, 0], "a suspect that beats is none");
    let release = Release { service: "ratings".to_owned() };
    assert_eq!(board.roster.release(&release).unwrap().instances, 2);
    assert_eq!(board.counts(), [5, 0, 0, 0]);
}

#[test]
fn ten_thousand_that_die_at_once_stay_and_unguarded_go_in_one_turn() {
    let (mut board, now) = service(10_000);
    board.pass(now, now + 110 * SECOND);
    assert_eq!(board.counts(), [0, 0, 10_000, 0]);
    let (mut board, now) = Board::unguarded();
    for port in 1..=10_000 {
        board.roster.register(call(&format!("r{port}"), port), now).unwrap();
    }
    board.follow();
    board.roster.expire(now + 15 * SECOND + LATE);
    assert_eq!(board.follow(), 10_000);
    board.roster.expire(now + 105 * SECOND + 2 * LATE);
    assert_eq!(board.follow(), 10_000);
    assert_eq!(board.listed(), []);
}

#[test]
fn suspects_go_after_a_quarter_of_an_hour_but_not_the_last_ones() {
    let (mut board, now) = service(10);
    let now = beating(&mut board, 10..=10, now, 106);
    assert_eq!(board.counts(), [1, 0, 9, 0]);
    let now = beating(&mut board, 10..=10, now, 15 * 60);
    assert_eq!(board.counts(), [1, 0, 0, 0]);
    board.pass(now, now + 2 * 3600 * SECOND);
    assert_eq!(board.counts(), [0, 0, 1, 0], "a list does not become empty by time");
    board.roster.deregister(&leave("r10", None)).unwrap();
    assert_eq!(board.counts(), [0; 4]);
}

#[test]
fn who_leaves_does_not_count() {
    let (mut board, now) = service(10);
    for id in 1..=7 {
        board.roster.deregister(&leave(&format!("r{id}"), None)).unwrap();
    }
    beating(&mut board, 9..=10, now, 106);
    assert_eq!(board.counts(), [2, 0, 0, 0], "one of three was lost");
}

#[test]
fn who_drains_is_listed_until_it_leaves_and_does_not_come_back_by_itself() {
    let (mut board, now) = service(3);
    let drain = Drain { service: "ratings".to_owned(), id: "r1".parse().unwrap(), incarnation: None, deadline_ms: 0 };
    let revision = board.roster.drain(&drain, now).unwrap();
    assert_eq!(board.roster.drain(&drain, now).unwrap(), revision, "it is told once");
    let registered = board.roster.register(call("r1", 1), now + SECOND).unwrap();
    assert_eq!((registered.revision, board.counts()), (revision, [2, 0, 0, 1]));
    let Drain { service: name, id, .. } = drain;
    let undrain = Undrain { service: name, id, incarnation: None };
    assert_eq!(board.roster.undrain(&undrain, now).unwrap().revision, revision + 1);
    assert_eq!(board.counts(), [3, 0, 0, 0]);
}

#[test]
fn one_that_drains_and_stops_beating_is_gone_although_all_others_are_suspect() {
    let (mut board, now) = service(4);
    let drain = Drain { service: "ratings".to_owned(), id: "r1".parse().unwrap(), incarnation: None, deadline_ms: 0 };
    board.roster.drain(&drain, now).unwrap();
    board.pass(now, now + 106 * SECOND);
    assert_eq!(board.counts(), [0, 0, 3, 0]);
}

#[test]
fn what_is_registered_with_a_lease_goes_with_it() {
    let (mut board, now) = Board::new(Config::default());
    let refused = board.roster.register(with_lease("a", 1, "process"), now).unwrap_err();
    assert_eq!(refused.reason, "there is no lease process: hold it, and register again");
    let (none, first) = board.roster.hold_lease(&lease("process"), now);
    assert_eq!(none, 0);
    for (id, port) in [("a", 1), ("b", 2), ("c", 3)] {
        board.roster.register(with_lease(id, port, "process"), now).unwrap();
    }
    let (three, second) = board.roster.hold_lease(&lease("process"), now + SECOND);
    assert_eq!((three, board.endings()), (3, vec![(first, None)]), "a newer connection takes over");
    board.roster.let_go(&Held::Lease(lease("process")), first, true);
    assert_eq!(board.counts(), [3, 0, 0, 0], "an old connection's end is nobody's end");
    board.pass(now, now + 17 * SECOND);
    assert_eq!(board.counts(), [0, 3, 0, 0]);
    board.beat("b", now + 18 * SECOND);
    assert_eq!(board.counts(), [3, 0, 0, 0], "a beat is one for all");
    board.roster.deregister(&leave("c", None)).unwrap();
    board.roster.let_go(&Held::Lease(lease("process")), second, true);
    assert_eq!((board.counts(), board.roster.leases.len()), ([0; 4], 0));
}

#[test]
fn after_a_stall_a_closed_connection_says_nothing() {
    let (mut board, now) = Board::new(Config::default());
    let (_, hold) = board.roster.hold_lease(&lease("process"), now);
    board.roster.register(with_lease("a", 1, "process"), now).unwrap();
    board.roster.let_go(&Held::Lease(lease("process")), hold, false);
    assert_eq!(board.counts(), [1, 0, 0, 0]);
    let ended = board.roster.end_lease(&lease("process")).unwrap();
    assert_eq!((ended.instances, board.counts()), (1, [0; 4]));
    assert_eq!(board.roster.end_lease(&lease("process")).unwrap_err().kind, Kind::Unknown);
}

#[test]
fn a_paused_process_learns_that_it_must_register_again() {
    let (mut board, now) = service(3);
    let (_, hold) = board.roster.hold_lease(&lease("process"), now);
    board.roster.register(with_lease("a", 9, "process"), now).unwrap();
    beating(&mut board, 1..=3, now, 107);
    assert_eq!(board.counts(), [3, 0, 0, 0]);
    assert_eq!((board.endings(), board.roster.leases.named(&lease("process"))), (vec![(hold, None)], None));
}

#[test]
fn an_instance_moves_from_a_lease_of_its_own_to_a_named_one() {
    let (mut board, now) = Board::new(Config::default());
    let (_, hold) = board.roster.hold(started("a", 1, 1), now).unwrap();
    board.roster.hold_lease(&lease("process"), now);
    board.roster.register(with_lease("a", 1, "process"), now).unwrap();
    assert_eq!(board.endings(), [(hold, None)]);
    board.roster.let_go(&board.held("a"), hold, true);
    assert_eq!((board.counts(), board.roster.leases.len()), ([1, 0, 0, 0], 1));
    let both = board.roster.hold(with_lease("a", 1, "process"), now).unwrap_err();
    assert_eq!(both.kind, Kind::Invalid);
}

#[test]
fn who_is_gone_is_remembered_up_to_a_limit() {
    let (mut board, now) = Board::new(Config::default());
    let mut forgotten = Vec::new();
    for round in 1..=GRAVES + 3 {
        let id = format!("r{round}");
        board.roster.register(call(&id, 1), now).unwrap();
        board.roster.deregister(&leave(&id, None)).unwrap();
        forgotten.extend(board.roster.take_batch().forgotten);
    }
    let ids: Vec<_> = forgotten.iter().map(|grave| (grave.id.to_string(), grave.revision)).collect();
    assert_eq!(ids, [("r1".to_owned(), 2), ("r2".to_owned(), 4), ("r3".to_owned(), 6)]);
}

#[test]
fn one_that_joins_a_lease_and_takes_the_address_of_its_last_one_is_there() {
    let (mut board, now) = Board::new(Config::default());
    let (_, hold) = board.roster.hold_lease(&lease("process"), now);
    board.roster.register(with_lease("a", 1, "process"), now).unwrap();
    // Nobody is connected, as after a restart of the registry.
    board.roster.let_go(&Held::Lease(lease("process")), hold, false);
    board.roster.register(Register { incarnation: Some(2), ..with_lease("b", 1, "process") }, now).unwrap();
    assert_eq!(board.listed(), [("b".to_owned(), 1, Presence::Up)]);
}

#[test]
fn who_is_released_and_lives_learns_that_it_must_register_again() {
    let (mut board, now) = Board::new(Config::default());
    let (_, hold) = board.roster.hold_lease(&lease("process"), now);
    board.roster.register(with_lease("a", 1, "process"), now).unwrap();
    board.pass(now, now + 107 * SECOND);
    assert_eq!(board.counts(), [0, 0, 1, 0]);
    board.roster.release(&Release { service: "ratings".to_owned() }).unwrap();
    assert_eq!((board.endings(), board.roster.leases.named(&lease("process"))), (vec![(hold, None)], None));
}

#[test]
fn a_suspect_has_its_quarter_of_an_hour_after_a_restart_too() {
    let (mut board, now) = service(10);
    beating(&mut board, 9..=10, now, 106);
    assert_eq!(board.counts(), [2, 0, 8, 0]);
    let kept = board.rows.values().map(|row| Kept {
        revision: 1,
        service: "ratings".into(),
        listed: Arc::clone(&row.listed),
        json: row.json.clone(),
        lease: row.lease.clone(),
        health: row.health.clone(),
    });
    let (mut again, now) = Board::new(Config::default());
    again.roster.restore(1_000, kept.collect(), Vec::new(), Time::default());
    let mut now = now;
    for minute in 1..=16 {
        for _ in 0..60 {
            for id in [9, 10] {
                again.beat_restored(&format!("r{id}"), now);
            }
            again.pass(now, now + SECOND);
            now = now + SECOND;
        }
        let left = again.restored();
        assert_eq!(
            left,
            if minute < 15 {
                10
            } else if minute > 15 {
                2
            } else {
                left
            },
            "after {minute} minutes"
        );
    }
}
