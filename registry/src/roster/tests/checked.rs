//! Instances that are there as their checks say.

use mainstay_contracts::registry::{Drain, Undrain};

use super::*;
use crate::clock::Time;

const TTL: Duration = Duration::from_secs(10);
const MINUTE: Duration = Duration::from_secs(60);

fn check(id: &str, gone_after: Option<Duration>) -> Check {
    let (name, notes, output) = (id.to_owned(), String::new(), String::new());
    Check { id: id.to_owned(), name, notes, ttl: TTL, gone_after, said: Status::Critical, output, expired: false }
}

fn enlist(id: &str, port: u16, checks: Vec<Check>) -> Enlist {
    Enlist { call: call(id, port), checks, warning_weight: 1, replace: false }
}

fn hear(board: &mut Board, check: &str, said: Status, now: Time) {
    board.roster.hear_check(check, said, String::new(), now).unwrap();
}

/// One instance with one check that passes.
fn passing(gone_after: Option<Duration>) -> (Board, Time) {
    let (mut board, now) = Board::new(Config::default());
    board.roster.enlist(enlist("a", 1, vec![check("service:a", gone_after)]), now).unwrap();
    hear(&mut board, "service:a", Status::Passing, now);
    board.follow();
    (board, now)
}

fn presence(board: &mut Board) -> Option<Presence> {
    board.listed().first().map(|row| row.2)
}

#[test]
fn without_checks_it_is_there_for_ever() {
    let (mut board, now) = Board::unguarded();
    board.roster.enlist(enlist("a", 1, Vec::new()), now).unwrap();
    board.follow();
    board.pass(now, now + 60 * MINUTE);
    assert_eq!((board.follow(), presence(&mut board)), (0, Some(Presence::Up)));
}

#[test]
fn a_check_that_has_said_nothing_asks_for_no_calls_and_is_believed_for_its_ttl() {
    let (mut board, now) = Board::unguarded();
    board.roster.enlist(enlist("a", 1, vec![check("service:a", None)]), now).unwrap();
    assert_eq!(presence(&mut board), Some(Presence::Draining));
    hear(&mut board, "service:a", Status::Passing, now + SECOND);
    assert_eq!(presence(&mut board), Some(Presence::Up));
    board.roster.expire(now + (SECOND + TTL - LATE));
    assert_eq!(board.follow(), 0);
    board.roster.expire(now + SECOND + TTL + LATE);
    assert_eq!(presence(&mut board), Some(Presence::Silent));
    board.pass(now + SECOND + TTL + LATE, now + 60 * MINUTE);
    assert_eq!((board.follow(), presence(&mut board)), (0, Some(Presence::Silent)), "it stays critical");
    hear(&mut board, "service:a", Status::Warning, now + 60 * MINUTE);
    assert_eq!(presence(&mut board), Some(Presence::Up), "warning is no reason to stay away");
}

#[test]
fn a_beat_moves_the_end_of_the_ttl_and_tells_nobody() {
    let (mut board, now) = passing(None);
    let pulse = board.check_pulse("service:a");
    assert!(!pulse.beat(now + 9 * SECOND));
    board.pass(now, now + 18 * SECOND);
    assert_eq!((board.follow(), presence(&mut board)), (0, Some(Presence::Up)));
    board.pass(now + 18 * SECOND, now + 20 * SECOND);
    assert_eq!(presence(&mut board), Some(Presence::Silent));
    assert!(pulse.beat(now + 20 * SECOND), "of the first one the roster is told");
}

#[test]
fn what_is_late_for_too_long_is_gone_unless_it_is_the_last() {
    let (mut board, now) = passing(Some(MINUTE));
    board.pass(now, now + TTL + MINUTE + SECOND);
    assert_eq!(presence(&mut board), Some(Presence::Suspect));
    hear(&mut board, "service:a", Status::Passing, now + 2 * MINUTE);
    assert_eq!(presence(&mut board), Some(Presence::Up));
    for (id, port) in [("b", 2), ("c", 3)] {
        board.roster.enlist(enlist(id, port, Vec::new()), now + 2 * MINUTE).unwrap();
    }
    board.pass(now + 2 * MINUTE, now + (3 * MINUTE + TTL - SECOND));
    assert_eq!(board.counts(), [2, 1, 0, 0]);
    board.pass(now + 3 * MINUTE, now + 3 * MINUTE + TTL + SECOND);
    assert_eq!(board.counts(), [2, 0, 0, 0]);
    assert_eq!(board.roster.find_check("service:a").unwrap_err().kind, Kind::Unknown);
}

#[test]
fn who_says_that_it_does_not_work_is_gone_when_it_has_asked_for_that() {
    for (after, expected) in [(Some(MINUTE), None), (None, Some(Presence::Draining))] {
        let (mut board, now) = passing(after);
        hear(&mut board, "service:a", Status::Critical, now);
        board.pass(now, now + (MINUTE - SECOND));
        hear(&mut board, "service:a", Status::Critical, now + (MINUTE - SECOND));
        assert_eq!(presence(&mut board), Some(Presence::Draining));
        board.pass(now + (MINUTE - SECOND), now + MINUTE + SECOND);
        assert_eq!(presence(&mut board), expected, "to say it again gives no more time");
    }
}

#[test]
fn to_register_the_same_again_is_a_beat_and_no_change() {
    let (mut board, now) = passing(None);
    let again = || enlist("a", 1, vec![check("service:a", None)]);
    board.roster.enlist(again(), now + 9 * SECOND).unwrap();
    assert_eq!(board.follow(), 0);
    board.pass(now, now + 18 * SECOND);
    assert_eq!(presence(&mut board), Some(Presence::Up));
    board.pass(now + 18 * SECOND, now + 20 * SECOND);
    board.follow();
    board.roster.enlist(again(), now + 21 * SECOND).unwrap();
    assert_eq!((board.follow(), presence(&mut board)), (0, Some(Presence::Silent)), "only the check itself passes");
}

#[test]
fn who_says_that_it_does_not_work_drains_also_when_another_check_is_late() {
    let (mut board, now) = passing(None);
    board.roster.add_check(&"a".parse().unwrap(), check("second", None), now).unwrap();
    assert_eq!(presence(&mut board), Some(Presence::Draining));
    board.pass(now, now + 11 * SECOND);
    assert_eq!(presence(&mut board), Some(Presence::Draining));
    hear(&mut board, "second", Status::Passing, now + 11 * SECOND);
    assert_eq!(presence(&mut board), Some(Presence::Silent), "the first one is late");
    board.roster.drop_check("service:a", now + 11 * SECOND).unwrap();
    assert_eq!(presence(&mut board), Some(Presence::Up));
    assert_eq!(board.roster.drop_check("service:a", now).unwrap_err().kind, Kind::Unknown);
}

#[test]
fn a_second_check_that_is_late_gives_a_suspect_no_less_time() {
    let (mut board, now) = passing(Some(MINUTE));
    board.roster.enlist(enlist("b", 2, Vec::new()), now).unwrap();
    board.roster.add_check(&"a".parse().unwrap(), check("second", Some(2 * MINUTE)), now).unwrap();
    hear(&mut board, "second", Status::Passing, now);
    for id in ["x", "y"] {
        board.roster.enlist(enlist(id, if id == "x" { 3 } else { 4 }, vec![check(id, Some(MINUTE))]), now).unwrap();
        hear(&mut board, id, Status::Passing, now);
    }
    board.pass(now, now + 2 * MINUTE);
    assert_eq!(board.counts(), [1, 0, 3, 0], "three of four were too many");
    board.pass(now + 2 * MINUTE, now + 5 * MINUTE);
    assert_eq!(board.counts(), [1, 0, 3, 0]);
    board.pass(now + 5 * MINUTE, now + 20 * MINUTE);
    assert_eq!(board.counts(), [1, 0, 0, 0]);
}

#[test]
fn who_is_looked_after_drains_until_that_is_over() {
    let (mut board, now) = passing(None);
    let drain = Drain { service: "ratings".to_owned(), id: "a".parse().unwrap(), incarnation: None, deadline_ms: 0 };
    let revision = board.roster.drain(&drain, now).unwrap();
    assert_eq!((board.roster.drain(&drain, now).unwrap(), presence(&mut board)), (revision, Some(Presence::Draining)));
    hear(&mut board, "service:a", Status::Passing, now + SECOND);
    assert_eq!(presence(&mut board), Some(Presence::Draining));
    board.roster.enlist(enlist("a", 1, vec![check("service:a", None)]), now + SECOND).unwrap();
    assert_eq!(presence(&mut board), Some(Presence::Draining));
    let undrain = Undrain { service: drain.service, id: drain.id, incarnation: None };
    board.roster.undrain(&undrain, now).unwrap();
    assert_eq!(presence(&mut board), Some(Presence::Up));
}

#[test]
fn an_id_is_that_of_one_service_and_a_check_that_of_one_id() {
    let (mut board, now) = passing(None);
    let refused = board.roster.enlist(enlist("b", 2, vec![check("service:a", None)]), now).unwrap_err();
    assert_eq!(
        (refused.kind, refused.reason.as_str()),
        (Kind::Conflict, "check \"service:a\" is that of a of ratings")
    );
    let other = Register { service: "other".to_owned(), ..call("a", 1) };
    let moved = Enlist { call: other, ..enlist("a", 1, vec![check("service:a", None)]) };
    board.roster.enlist(moved, now).unwrap();
    assert_eq!(board.listed().len(), 1);
    assert_eq!(&*board.roster.find_anywhere(&"a".parse().unwrap()).unwrap().0, "other");
    assert_eq!(&*board.roster.find_check("service:a").unwrap().1.0, "other");
    let many = (0..17).map(|at| check(&format!("c{at}"), None)).collect();
    let refused = board.roster.enlist(enlist("c", 3, many), now).unwrap_err();
    assert_eq!(refused.reason, "an instance has at most 16 checks, and would have 17");
}

#[test]
fn what_is_registered_with_a_lease_has_no_checks_any_more() {
    let (mut board, now) = passing(None);
    board.roster.register(call("a", 1), now).unwrap();
    assert_eq!((presence(&mut board), board.roster.leases.len()), (Some(Presence::Up), 1));
    assert_eq!(board.roster.find_check("service:a").unwrap_err().kind, Kind::Unknown);
    let (_, hold) = board.roster.hold(call("a", 1), now).unwrap();
    board.roster.enlist(enlist("a", 1, vec![check("service:a", None)]), now).unwrap();
    assert_eq!(board.endings(), [(hold, None)], "nor the other way round");
    board.roster.delist(&("ratings".into(), "a".parse().unwrap()));
    assert_eq!((presence(&mut board), board.roster.leases.len()), (None, 0));
}

#[test]
fn any_number_of_instances_may_have_no_port() {
    let (mut board, now) = Board::unguarded();
    let nowhere = || mainstay_contracts::Address::portless("127.0.0.1").unwrap();
    for id in ["a", "b", "c"] {
        let call = Register { address: nowhere(), ..call(id, 1) };
        board.roster.enlist(Enlist { call, ..enlist(id, 1, Vec::new()) }, now).unwrap();
    }
    board.roster.deregister(&leave("a", None)).unwrap();
    assert_eq!(board.counts(), [2, 0, 0, 0]);
    let refused = board.roster.register(Register { address: nowhere(), ..call("d", 1) }, now).unwrap_err();
    assert_eq!(refused.reason, "address http://127.0.0.1:0 has no port from 1 to 65535");
}
