//! Checks, whatever comes in which order, hold to a plain description.

use std::collections::BTreeMap;

use mainstay_contracts::registry::{Drain, Undrain};
use proptest::prelude::*;

use super::*;
use crate::clock::Time;

const TTL: u64 = 10_000;
/// How late something may be noticed.
const SLOT: u64 = 64;

#[derive(Debug, Clone, Copy)]
enum Step {
    Enlist(usize, bool),
    Register(usize),
    Hear(usize, Status),
    /// As [`Step::Hear`] of what was said before, without the roster.
    Beat(usize),
    Drop(usize),
    Drain(usize),
    Undrain(usize),
    Delist(usize),
    Pass(u64),
}

fn step() -> impl Strategy<Value = Step> {
    let status = prop_oneof![4 => Just(Status::Passing), 2 => Just(Status::Warning), 1 => Just(Status::Critical)];
    prop_oneof![
        3 => (0..3usize, prop::bool::weighted(0.8)).prop_map(|(at, second)| Step::Enlist(at, second)),
        1 => (0..3usize).prop_map(Step::Register),
        8 => (0..6usize, status).prop_map(|(at, status)| Step::Hear(at, status)),
        2 => (0..6usize).prop_map(Step::Beat),
        1 => (0..6usize).prop_map(Step::Drop),
        1 => (0..3usize).prop_map(Step::Drain),
        1 => (0..3usize).prop_map(Step::Undrain),
        1 => (0..3usize).prop_map(Step::Delist),
        4 => (1..12_000u64).prop_map(Step::Pass),
    ]
}

/// What was said of a check, when, and whether that was noticed to be too long ago.
#[derive(Debug, Clone)]
struct Said {
    status: Status,
    at: u64,
    expired: bool,
}

/// Of each instance its checks and whether it is being looked after; none if it has a lease.
type Described = BTreeMap<usize, Option<(BTreeMap<usize, Said>, bool)>>;

fn id(at: usize) -> String {
    format!("i{at}")
}

fn port(at: usize) -> u16 {
    u16::try_from(at).unwrap() + 1
}

fn definition(check: usize) -> Check {
    let (id, ttl) = (format!("c{check}"), Duration::from_millis(TTL));
    let (name, notes, output) = (String::new(), String::new(), String::new());
    Check { id, name, notes, ttl, gone_after: None, said: Status::Critical, output, expired: false }
}

fn apply(board: &mut Board, described: &mut Described, step: Step, now: &mut u64) {
    let time = Time::from_millis(*now);
    let heard = |status| Said { status, at: *now, expired: false };
    let named = |at| ("ratings".to_owned(), id(at).parse::<InstanceId>().unwrap());
    match step {
        Step::Enlist(at, second) => {
            let checks: Vec<usize> = if second { vec![at, at + 3] } else { vec![at] };
            let definitions = checks.iter().map(|check| definition(*check)).collect();
            let call = call(&id(at), port(at));
            let enlist = Enlist { call, checks: definitions, warning_weight: 1, replace: true };
            board.roster.enlist(enlist, time).unwrap();
            let (before, drains) = described.remove(&at).flatten().unwrap_or_default();
            let keep = |check: usize| match before.get(&check) {
                Some(said) if said.expired || said.status == Status::Critical => said.clone(),
                Some(said) => heard(said.status),
                None => heard(Status::Critical),
            };
            described.insert(at, Some((checks.into_iter().map(|check| (check, keep(check))).collect(), drains)));
        }
        Step::Register(at) => {
            board.roster.register(call(&id(at), port(at)), time).unwrap();
            described.insert(at, None);
        }
        Step::Hear(check, status) => {
            let known = described.values_mut().flatten().find_map(|(checks, _)| checks.get_mut(&check));
            let done = board.roster.hear_check(&format!("c{check}"), status, String::new(), time);
            assert_eq!(done.is_ok(), known.is_some());
            if let Some(known) = known {
                *known = heard(status);
            }
        }
        Step::Beat(check) => {
            let known = described.values_mut().flatten().find_map(|(checks, _)| checks.get_mut(&check));
            if let Some(known) = known.filter(|known| !known.expired) {
                assert!(!board.check_pulse(&format!("c{check}")).beat(time));
                *known = heard(known.status);
            }
        }
        Step::Drop(check) => {
            let mut checks = described.values_mut().flatten();
            let dropped = checks.any(|(checks, _)| checks.remove(&check).is_some());
            assert_eq!(board.roster.drop_check(&format!("c{check}"), time).is_ok(), dropped);
        }
        Step::Drain(at) => {
            let (service, id) = named(at);
            let done = board.roster.drain(&Drain { service, id, incarnation: None, deadline_ms: 0 }, time);
            assert_eq!(done.is_ok(), described.contains_key(&at));
            if let Some(Some((_, drains))) = described.get_mut(&at) {
                *drains = true;
            }
        }
        Step::Undrain(at) => {
            let (service, id) = named(at);
            let done = board.roster.undrain(&Undrain { service, id, incarnation: None }, time);
            assert_eq!(done.is_ok(), described.contains_key(&at));
            if let Some(Some((_, drains))) = described.get_mut(&at) {
                *drains = false;
            }
        }
        Step::Delist(at) => {
            let known = board.roster.find_in("ratings", &id(at).parse().unwrap());
            assert_eq!(known.is_ok(), described.remove(&at).is_some());
            if let Ok(member) = known {
                board.roster.delist(&member);
            }
        }
        Step::Pass(millis) => {
            *now += millis;
            board.roster.expire(Time::from_millis(*now));
        }
    }
}

/// Compares what is listed with what was described; what has just become due may be noticed or not.
fn compare(board: &mut Board, described: &mut Described, now: u64) -> Result<(), TestCaseError> {
    board.follow();
    let mut leases = 0;
    for (at, known) in described {
        let row = &board.rows[&id(*at).parse::<InstanceId>().unwrap()];
        leases += 1;
        let Some((checks, drains)) = known else {
            prop_assert!(row.health.is_none());
            continue;
        };
        let health = row.health.as_ref().expect("it has been enlisted");
        prop_assert_eq!(health.checks.len(), checks.len());
        leases += checks.len();
        for (check, said) in checks.iter_mut() {
            let found = health.check(&format!("c{check}")).expect("it has this check");
            prop_assert_eq!(found.said, said.status);
            if said.status != Status::Critical && !said.expired {
                let age = now - said.at;
                prop_assert!(age >= TTL || !found.expired, "c{} is early: {} ms", check, age);
                prop_assert!(age < TTL + SLOT || found.expired, "c{} is late: {} ms", check, age);
                said.expired = found.expired;
            }
            prop_assert_eq!(found.expired, said.expired);
        }
        let failed = checks.values().any(|said| said.status == Status::Critical && !said.expired);
        let expected = match checks.values().any(|said| said.expired) {
            _ if *drains || failed => Presence::Draining,
            true => Presence::Silent,
            false => Presence::Up,
        };
        prop_assert_eq!(row.listed.presence, expected);
    }
    prop_assert_eq!(board.roster.leases.len(), leases, "no lease is left over");
    Ok(())
}

proptest! {
    #[test]
    fn checks_hold_to_their_description(steps in prop::collection::vec(step(), 1..60)) {
        let (mut board, _) = Board::new(Config { gone_after: Duration::from_secs(86_400), ..Config::default() });
        let (mut described, mut now) = (Described::new(), 0);
        for step in steps {
            apply(&mut board, &mut described, step, &mut now);
            compare(&mut board, &mut described, now)?;
        }
    }
}
