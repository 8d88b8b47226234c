//! Discovery, transitions and calls at once, over the real roster.

use mainstay_contracts::registry::{Instance, Listed, Presence};

use super::*;
use crate::discover::{Noted, Roster};
use crate::instance::InstanceState;
use crate::transport::Network;

fn listed(number: u32, incarnation: u64) -> Listed {
    let address = format!("127.0.0.1:800{number}").parse().unwrap();
    let [instance] = crate::discover::fixed(&[address]).try_into().unwrap();
    let id = format!("ratings-{number}").parse().unwrap();
    Listed { instance: Instance { id, number, incarnation, ..instance }, presence: Presence::Up }
}

/// So many instances, numbered from 1.
fn roster(instances: u32, probe: Probe) -> (Arc<Roster>, Instant) {
    // Where the rotation begins is random, and a model must begin alike each time.
    fastrand::seed(1);
    let (roster, now) = (Arc::new(Roster::new(rules(1, probe), Network::default())), Instant::now());
    roster.note((1..=instances).map(|number| listed(number, 1)), now);
    (roster, now)
}

fn instance(roster: &Roster, number: u32) -> Arc<InstanceState> {
    roster.everybody().into_iter().find(|state| state.instance().number == number).unwrap()
}

/// A call to an instance fails, and its breaker opens.
fn fail(roster: &Roster, state: &Arc<InstanceState>, now: Instant) {
    if let Ok(permit) = state.admit(now)
        && permit.record(Outcome::Failure, now).is_some()
    {
        roster.turned(state, now);
    }
}

/// Who may be asked is who is present and closed; and all permits have ended.
fn assert_ready(roster: &Roster, now: Instant, present: &[u32], closed: &[u32]) {
    let ready = roster.ready();
    let number = |state: &Arc<InstanceState>| state.instance().number;
    let numbers: Vec<_> = ready.closed.iter().map(|place| number(&ready.present[*place as usize])).collect();
    assert_eq!(ready.present.iter().map(number).collect::<Vec<_>>(), present);
    assert_eq!(numbers, closed);
    for state in roster.everybody() {
        assert_settled(&state.breaker);
        assert_eq!(closed.contains(&number(&state)), state.breaker.state(now) == BreakerState::Closed);
    }
}

#[test]
fn two_openings_at_once_are_both_published() {
    explore("two_openings_at_once_are_both_published", Preemptions::AtMost(3), || {
        let (roster, now) = roster(2, Probe::ByItself);
        let (one, two) = (instance(&roster, 1), instance(&roster, 2));
        let other = Arc::clone(&roster);
        let opens = spawn(move || fail(&other, &one, now));
        fail(&roster, &two, now);
        opens.join().unwrap();
        assert_ready(&roster, now, &[1, 2], &[]);
    });
}

#[test]
fn an_opening_against_a_discovery_update_is_not_lost() {
    explore("an_opening_against_a_discovery_update_is_not_lost", Preemptions::AtMost(3), || {
        let (roster, now) = roster(1, Probe::ByItself);
        let one = instance(&roster, 1);
        let other = Arc::clone(&roster);
        let opens = spawn(move || fail(&other, &one, now));
        roster.note([listed(2, 1)], now);
        opens.join().unwrap();
        assert_ready(&roster, now, &[1, 2], &[2]);
    });
}

#[test]
fn a_call_picks_while_an_instance_comes_and_another_opens() {
    explore("a_call_picks_while_an_instance_comes_and_another_opens", Preemptions::AtMost(3), || {
        let (roster, now) = roster(1, Probe::ByItself);
        let one = instance(&roster, 1);
        let (caller, opener) = (Arc::clone(&roster), Arc::clone(&roster));
        let calls = spawn(move || {
            let permit = caller.rotation.pick(&caller.ready(), &[], now);
            let number = permit.as_ref().map(|permit| permit.holder().instance().instance().number);
            (number, permit.and_then(|permit| permit.record(Outcome::Success, now)))
        });
        let opens = spawn(move || fail(&opener, &one, now));
        roster.note([listed(2, 1)], now);
        opens.join().unwrap();
        let (number, told) = calls.join().unwrap();
        assert!(number.is_none_or(|number| number <= 2) && told.is_none());
        assert_ready(&roster, now, &[1, 2], &[2]);
    });
}

#[test]
fn a_new_incarnation_against_a_failure_is_published_as_it_is() {
    explore("a_new_incarnation_against_a_failure_is_published_as_it_is", Preemptions::AtMost(3), || {
        let (roster, now) = roster(1, Probe::ByCall);
        let one = instance(&roster, 1);
        let (opener, opened) = (Arc::clone(&roster), Arc::clone(&one));
        let opens = spawn(move || fail(&opener, &opened, now));
        let noted = roster.note([listed(1, 2)], now);
        let retested = noted.iter().filter(|noted| matches!(noted, Noted::Retest(_))).count();
        for noted in noted {
            if let Noted::Retest(state) = noted {
                roster.turned(&state, now);
            }
        }
        opens.join().unwrap();
        assert_eq!(one.breaker.state(now) == BreakerState::HalfOpen, retested == 1);
        // A live call is the probe: who is half-open may be asked, and nobody else.
        assert_eq!(roster.ready().untested.len(), retested);
        assert_ready(&roster, now, &[1], &[]);
    });
}
