mod model;

use mainstay_contracts::registry::Presence;

use super::*;
use crate::Limits;

const SECOND: Duration = Duration::from_secs(1);

fn roster() -> (Roster, Instant) {
    let now = Instant::now();
    (Roster::new(Config::default(), 1_000, now), now)
}

fn call(id: &str, port: u16) -> Register {
    let json = format!(r#"{{"service":"ratings","id":"{id}","address":"127.0.0.1:{port}"}}"#);
    serde_json::from_str(&json).unwrap()
}

fn started(id: &str, port: u16, incarnation: u64) -> Register {
    Register { incarnation: Some(incarnation), ..call(id, port) }
}

fn beat(id: &str, incarnation: Option<u64>) -> Beat {
    Beat { service: "ratings".to_owned(), id: id.parse().unwrap(), incarnation }
}

fn leave(id: &str, incarnation: Option<u64>) -> Deregister {
    Deregister { service: "ratings".to_owned(), id: id.parse().unwrap(), incarnation }
}

fn listed(roster: &mut Roster) -> Vec<(String, u32, Presence)> {
    let snapshot = roster.list("ratings");
    let line = |listed: &Listed| (listed.instance.id.to_string(), listed.instance.number, listed.presence);
    snapshot.listing.instances.iter().map(line).collect()
}

fn endings(roster: &mut Roster) -> Vec<(u64, Option<u64>)> {
    let ending = |event| match event {
        Event::HoldEnded { hold, superseded_by } => Some((hold, superseded_by)),
        Event::Told { .. } => None,
    };
    roster.take_events().into_iter().filter_map(ending).collect()
}

#[test]
fn without_beats_up_becomes_silent_becomes_gone_to_the_instant() {
    let (mut roster, now) = roster();
    roster.register(call("r1", 1), now).unwrap();
    let tick = Duration::from_nanos(1);
    for (after, expected) in [
        (15 * SECOND - tick, Some(Presence::Up)),
        (15 * SECOND, Some(Presence::Silent)),
        (105 * SECOND - tick, Some(Presence::Silent)),
        (105 * SECOND, None),
    ] {
        roster.expire(now + after);
        assert_eq!(listed(&mut roster).first().map(|row| row.2), expected, "after {after:?}");
    }
    assert_eq!(roster.next_due(), None);
}

#[test]
fn a_beat_is_a_change_only_for_the_silent() {
    let (mut roster, now) = roster();
    let revision = roster.register(call("r1", 1), now).unwrap().revision;
    roster.take_events();
    roster.beat(&beat("r1", None), now + SECOND).unwrap();
    assert_eq!(roster.take_events(), []);
    roster.expire(now + 15 * SECOND);
    assert_eq!(roster.take_events(), [], "the beat was not seen");
    roster.expire(now + 16 * SECOND);
    roster.beat(&beat("r1", None), now + 17 * SECOND).unwrap();
    assert_eq!(roster.take_events().len(), 2, "silent, then up");
    assert_eq!(roster.list("ratings").listing.revision, revision + 2);
    roster.expire(now + 17 * SECOND + 14 * SECOND);
    assert_eq!(listed(&mut roster)[0].2, Presence::Up);
}

#[test]
fn a_registry_that_was_stopped_finds_instances_silent_before_gone() {
    let (mut roster, now) = roster();
    roster.register(call("r1", 1), now).unwrap();
    roster.expire(now + 1000 * SECOND);
    assert_eq!(listed(&mut roster)[0].2, Presence::Silent);
    roster.expire(now + 1090 * SECOND);
    assert_eq!(listed(&mut roster), []);
}

#[test]
fn registering_the_same_again_is_a_beat_and_no_change() {
    let (mut roster, now) = roster();
    let first = roster.register(call("r1", 1), now).unwrap();
    roster.take_events();
    assert_eq!(roster.register(call("r1", 1), now + SECOND), Ok(first.clone()));
    assert_eq!(roster.take_events(), []);
    roster.expire(now + 15 * SECOND);
    assert_eq!(listed(&mut roster)[0].2, Presence::Up);
    let heavier = Register { weight: 2, ..call("r1", 1) };
    assert_eq!(roster.register(heavier, now).unwrap().revision, first.revision + 1);
}

#[test]
fn an_earlier_incarnation_is_refused_and_changes_nothing() {
    let (mut roster, now) = roster();
    roster.register(started("r1", 1, 5), now).unwrap();
    roster.take_events();
    let refusals = [
        roster.register(started("r1", 9, 4), now).unwrap_err(),
        roster.hold(started("r1", 9, 4), now).unwrap_err(),
        roster.beat(&beat("r1", Some(4)), now).unwrap_err(),
        roster.deregister(&leave("r1", Some(4))).unwrap_err(),
    ];
    for refused in refusals {
        assert_eq!(
            (refused.kind, refused.reason.as_str()),
            (Kind::Conflict, "incarnation 4 of r1 is over: 5 is registered")
        );
    }
    assert_eq!(roster.take_events(), []);
    let later = roster.beat(&beat("r1", Some(6)), now).unwrap_err();
    assert_eq!(later.kind, Kind::Unknown);
    assert!(later.reason.ends_with("register again"), "{later:?}");
    assert_eq!(roster.beat(&beat("r2", None), now).unwrap_err().kind, Kind::Unknown);
}

#[test]
fn numbers_are_kept_by_id_and_the_lowest_free_otherwise() {
    let (mut roster, now) = roster();
    let mut number = |call| roster.register(call, now).map(|registered| registered.number).map_err(|no| no.reason);
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
    let (mut roster, now) = roster();
    roster.register(Register { number: Some(7), ..started("old", 1, 5) }, now).unwrap();
    let (_, hold) = roster.hold(started("old", 1, 5), now).unwrap();
    let refused = roster.register(started("earlier", 1, 4), now).unwrap_err();
    assert_eq!(refused.reason, "address http://127.0.0.1:1 is that of old, of a later incarnation");
    roster.take_events();
    let registered = roster.register(started("new", 1, 6), now).unwrap();
    assert_eq!((registered.number, registered.revision), (7, 3), "it takes over the number too");
    assert_eq!(listed(&mut roster), [("new".to_owned(), 7, Presence::Up)]);
    assert_eq!(endings(&mut roster), [(hold, Some(6))]);
    assert_eq!(roster.register(started("old", 1, 5), now).unwrap_err().kind, Kind::Conflict, "they take turns");
}

#[test]
fn the_address_of_a_silent_instance_may_be_taken_by_an_earlier_incarnation() {
    let (mut roster, now) = roster();
    let (_, hold) = roster.hold(started("old", 1, 5), now).unwrap();
    roster.expire(now + 15 * SECOND);
    roster.register(started("new", 1, 4), now + 15 * SECOND).unwrap();
    assert_eq!(endings(&mut roster), [(hold, None)], "the old one may come back");
}

#[test]
fn a_hold_is_fenced_by_its_number() {
    let (mut roster, now) = roster();
    let ratings = |roster: &mut Roster, hold| roster.release("ratings", &"r1".parse().unwrap(), hold);
    let (_, first) = roster.hold(started("r1", 1, 5), now).unwrap();
    let (_, second) = roster.hold(started("r1", 1, 5), now).unwrap();
    assert_eq!(endings(&mut roster), [(first, None)], "the same incarnation takes over silently");
    ratings(&mut roster, first);
    assert_eq!(listed(&mut roster).len(), 1, "an old connection's end is nobody's end");
    let (_, third) = roster.hold(started("r1", 1, 6), now).unwrap();
    assert_eq!(endings(&mut roster), [(second, Some(6))]);
    roster.register(Register { weight: 3, ..started("r1", 1, 6) }, now).unwrap();
    assert_eq!(endings(&mut roster), [], "what it says of itself is new, its connection is not");
    ratings(&mut roster, third);
    assert_eq!(listed(&mut roster), []);
}

#[test]
fn a_later_registration_ends_a_hold_and_does_not_inherit_it() {
    let (mut roster, now) = roster();
    let (_, hold) = roster.hold(started("r1", 1, 5), now).unwrap();
    roster.register(started("r1", 1, 6), now).unwrap();
    assert_eq!(endings(&mut roster), [(hold, Some(6))]);
    roster.release("ratings", &"r1".parse().unwrap(), hold);
    assert_eq!(listed(&mut roster).len(), 1);
}

#[test]
fn revisions_do_not_go_back_when_empty_services_are_forgotten() {
    let (mut roster, now) = roster();
    assert_eq!(roster.list("ratings").listing.revision, 0);
    roster.register(call("r1", 1), now).unwrap();
    let left = roster.deregister(&leave("r1", None)).unwrap().revision;
    roster.forget("ratings");
    assert!(roster.services.is_empty());
    assert_eq!(roster.list("ratings").listing.revision, left);
    assert_eq!(roster.register(call("r1", 1), now).unwrap().revision, left + 1);
    roster.forget("ratings");
    assert_eq!(listed(&mut roster).len(), 1, "what has instances is not forgotten");
}

#[test]
fn beyond_its_limits_it_refuses_and_below_them_again_it_does_not() {
    let limits = Limits { services: 1, instances: 2, ..Limits::default() };
    let now = Instant::now();
    let mut roster = Roster::new(Config { limits, ..Config::default() }, 1, now);
    roster.register(call("a", 1), now).unwrap();
    roster.register(call("b", 2), now).unwrap();
    let refused = roster.register(call("c", 3), now).unwrap_err();
    assert_eq!((refused.kind, refused.reason.as_str()), (Kind::Full, "ratings has 2 instances, and may not have more"));
    let other = Register { service: "other".to_owned(), ..call("a", 1) };
    let refused = roster.register(other, now).unwrap_err();
    assert_eq!((refused.kind, refused.reason.as_str()), (Kind::Full, "there are 1 services, and may not be more"));
    roster.register(call("b", 9), now).unwrap();
    roster.register(started("c", 1, u64::MAX), now).unwrap();
    roster.deregister(&leave("b", None)).unwrap();
    roster.register(call("d", 4), now).unwrap();
}

#[test]
fn ten_thousand_leases_expire_in_one_turn() {
    let (mut roster, now) = roster();
    for port in 1..=10_000 {
        roster.register(call(&format!("r{port}"), port), now).unwrap();
    }
    roster.take_events();
    roster.expire(now + 15 * SECOND);
    assert_eq!(roster.take_events().len(), 10_000);
    roster.expire(now + 105 * SECOND);
    assert_eq!(roster.take_events().len(), 10_000);
    assert_eq!(listed(&mut roster), []);
}
