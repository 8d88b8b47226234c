mod board;
mod checked;
mod checks;
mod guarded;
mod model;

use std::time::Duration;

use mainstay_contracts::registry::Presence;

use self::board::{Board, call, leave, started};
use super::*;
use crate::Limits;

const SECOND: Duration = Duration::from_secs(1);
/// How late something may be noticed.
const LATE: Duration = Duration::from_millis(64);

#[test]
fn without_beats_up_becomes_silent_becomes_gone() {
    let (mut board, now) = Board::unguarded();
    board.roster.register(call("r1", 1), now).unwrap();
    for (after, expected) in [
        (15 * SECOND - LATE, Some(Presence::Up)),
        (15 * SECOND + LATE, Some(Presence::Silent)),
        (105 * SECOND, Some(Presence::Silent)),
        (105 * SECOND + 2 * LATE, None),
    ] {
        board.roster.expire(now + after);
        assert_eq!(board.listed().first().map(|row| row.2), expected, "after {after:?}");
    }
    assert_eq!(board.roster.leases.len(), 0);
}

#[test]
fn a_beat_is_a_change_only_for_the_silent() {
    let (mut board, now) = Board::unguarded();
    let revision = board.roster.register(call("r1", 1), now).unwrap().revision;
    board.follow();
    board.beat("r1", now + SECOND);
    board.roster.expire(now + 15 * SECOND + LATE);
    assert_eq!(board.follow(), 0, "the beat was not seen");
    board.roster.expire(now + 16 * SECOND + LATE);
    board.beat("r1", now + 17 * SECOND);
    assert_eq!(board.roster.revision(), revision + 2, "silent, then up");
    board.roster.expire(now + 31 * SECOND);
    assert_eq!(board.listed()[0].2, Presence::Up);
}

#[test]
fn a_beat_that_nobody_told_of_is_found_when_the_lease_is_looked_at() {
    let (mut board, now) = Board::unguarded();
    board.roster.register(call("r1", 1), now).unwrap();
    board.roster.expire(now + 16 * SECOND);
    assert_eq!(board.listed()[0].2, Presence::Silent);
    let _untold = board.pulse("r1").beat(now + 100 * SECOND);
    board.roster.expire(now + 107 * SECOND);
    assert_eq!(board.listed()[0].2, Presence::Up);
}

#[test]
fn registering_the_same_again_is_a_beat_and_no_change() {
    let (mut board, now) = Board::unguarded();
    let first = board.roster.register(call("r1", 1), now).unwrap();
    board.follow();
    assert_eq!(board.roster.register(call("r1", 1), now + SECOND), Ok(first.clone()));
    assert_eq!(board.follow(), 0);
    board.roster.expire(now + 15 * SECOND);
    assert_eq!(board.listed()[0].2, Presence::Up);
    let heavier = Register { weight: 2, ..call("r1", 1) };
    assert_eq!(board.roster.register(heavier, now).unwrap().revision, first.revision + 1);
}

#[test]
fn an_earlier_incarnation_is_refused_and_changes_nothing() {
    let (mut board, now) = Board::unguarded();
    board.roster.register(started("r1", 1, 5), now).unwrap();
    board.follow();
    let refusals = [
        board.roster.register(started("r1", 9, 4), now).unwrap_err(),
        board.roster.hold(started("r1", 9, 4), now).unwrap_err(),
        board.roster.deregister(&leave("r1", Some(4))).unwrap_err(),
    ];
    for refused in refusals {
        assert_eq!(
            (refused.kind, refused.reason.as_str()),
            (Kind::Conflict, "incarnation 4 of r1 is over: 5 is registered")
        );
    }
    assert_eq!(board.follow(), 0);
}

#[test]
fn numbers_are_kept_by_id_and_the_lowest_free_otherwise() {
    let (mut board, now) = Board::unguarded();
    let mut number =
        |call| board.roster.register(call, now).map(|registered| registered.number).map_err(|no| no.reason);
    assert_eq!(number(call("a", 1)), Ok(1));
    assert_eq!(number(Register { number: Some(3), ..call("c", 3) }), Ok(3));
    assert_eq!(number(call("b", 2)), Ok(2));
    assert_eq!(number(call("d", 4)), Ok(4));
    assert_eq!(number(started("a", 11, u64::MAX)), Ok(1));
    assert_eq!(number(Register { number: Some(3), ..call("e", 5) }), Err("number 3 is that of c".to_owned()));
    assert_eq!(number(Register { number: Some(9), ..call("c", 3) }), Ok(9));
    assert_eq!(number(call("e", 5)), Ok(3));
}

#[test]
fn of_two_ids_at_one_address_the_later_incarnation_is_right() {
    let (mut board, now) = Board::unguarded();
    board.roster.register(Register { number: Some(7), ..started("old", 1, 5) }, now).unwrap();
    let (_, hold) = board.roster.hold(started("old", 1, 5), now).unwrap();
    let refused = board.roster.register(started("earlier", 1, 4), now).unwrap_err();
    assert_eq!(refused.reason, "address http://127.0.0.1:1 is that of old, of a later incarnation");
    board.follow();
    let registered = board.roster.register(started("new", 1, 6), now).unwrap();
    assert_eq!((registered.number, registered.revision), (7, 3), "it takes over the number too");
    assert_eq!(board.listed(), [("new".to_owned(), 7, Presence::Up)]);
    assert_eq!(board.endings(), [(hold, Some(6))]);
    assert_eq!(board.roster.register(started("old", 1, 5), now).unwrap_err().kind, Kind::Conflict, "they take turns");
}

#[test]
fn the_address_of_a_silent_instance_may_be_taken_by_an_earlier_incarnation() {
    let (mut board, now) = Board::unguarded();
    let (_, hold) = board.roster.hold(started("old", 1, 5), now).unwrap();
    board.roster.expire(now + 16 * SECOND);
    board.roster.register(started("new", 1, 4), now + 16 * SECOND).unwrap();
    assert_eq!(board.endings(), [(hold, None)], "the old one may come back");
}

#[test]
fn a_hold_is_fenced_by_its_number() {
    let (mut board, now) = Board::unguarded();
    let (_, first) = board.roster.hold(started("r1", 1, 5), now).unwrap();
    let (_, second) = board.roster.hold(started("r1", 1, 5), now).unwrap();
    assert_eq!(board.endings(), [(first, None)], "the same incarnation takes over silently");
    board.roster.let_go(&board.held("r1"), first, true);
    assert_eq!(board.listed().len(), 1, "an old connection's end is nobody's end");
    let (_, third) = board.roster.hold(started("r1", 1, 6), now).unwrap();
    assert_eq!(board.endings(), [(second, Some(6))]);
    board.roster.register(Register { weight: 3, ..started("r1", 1, 6) }, now).unwrap();
    assert_eq!(board.endings(), [], "what it says of itself is new, its connection is not");
    board.roster.let_go(&board.held("r1"), third, true);
    assert_eq!(board.listed(), []);
}

#[test]
fn a_later_registration_ends_a_hold_and_does_not_inherit_it() {
    let (mut board, now) = Board::unguarded();
    let (_, hold) = board.roster.hold(started("r1", 1, 5), now).unwrap();
    board.roster.register(started("r1", 1, 6), now).unwrap();
    assert_eq!(board.endings(), [(hold, Some(6))]);
    board.roster.let_go(&board.held("r1"), hold, true);
    assert_eq!(board.listed().len(), 1);
}

#[test]
fn beyond_its_limits_it_refuses_and_below_them_again_it_does_not() {
    let limits = Limits { services: 1, instances: 2, ..Limits::default() };
    let (mut board, now) = Board::new(Config { limits, ..Config::default() });
    board.roster.register(call("a", 1), now).unwrap();
    board.roster.register(call("b", 2), now).unwrap();
    let refused = board.roster.register(call("c", 3), now).unwrap_err();
    assert_eq!((refused.kind, refused.reason.as_str()), (Kind::Full, "ratings has 2 instances, and may not have more"));
    let other = Register { service: "other".to_owned(), ..call("a", 1) };
    let refused = board.roster.register(other, now).unwrap_err();
    assert_eq!((refused.kind, refused.reason.as_str()), (Kind::Full, "there are 1 services, and may not be more"));
    board.roster.register(call("b", 9), now).unwrap();
    board.roster.register(started("c", 1, u64::MAX), now).unwrap();
    board.roster.deregister(&leave("b", None)).unwrap();
    board.roster.register(call("d", 4), now).unwrap();
}
