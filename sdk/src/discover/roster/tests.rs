use super::known::REMEMBER_LIMIT;
use super::*;
use crate::breaker::Outcome;

const SECOND: Duration = Duration::from_secs(1);

fn roster() -> Roster {
    let rules = Rules { failure_limit: 1, retest_delay: 30 * SECOND, probe: Probe::ByItself, probe_lease: SECOND };
    Roster::new(rules, Network::default())
}

fn listed(number: u32, incarnation: u64) -> Listed {
    let instance = Instance {
        id: format!("ratings-{number}").parse().unwrap(),
        number,
        address: format!("127.0.0.1:{}", 8000 + number).parse().unwrap(),
        zone: None,
        weight: 1,
        version: None,
        tags: Vec::new(),
        metadata: Default::default(),
        incarnation,
    };
    Listed { instance, presence: Presence::Up }
}

fn listing(epoch: u64, instances: Vec<Listed>) -> Listing {
    Listing { service: "ratings".to_owned(), epoch, revision: 1, instances }
}

/// `up 1`, `gone 2`, … in the order told.
fn told(noted: &[Noted]) -> Vec<String> {
    let word = |noted: &Noted| match noted {
        Noted::Up(instance) => format!("up {}", instance.number),
        Noted::Silent(instance) => format!("silent {}", instance.number),
        Noted::Suspect(instance) => format!("suspect {}", instance.number),
        Noted::Draining(instance) => format!("draining {}", instance.number),
        Noted::Gone(instance, _) => format!("gone {}", instance.number),
        Noted::Retest(state) => format!("retest {}", state.instance().number),
    };
    let mut told: Vec<_> = noted.iter().map(word).collect();
    told.sort();
    told
}

fn ready(roster: &Roster) -> Vec<u32> {
    let ready = roster.ready();
    ready.closed.iter().map(|place| ready.present[*place as usize].instance().number).collect()
}

fn open(roster: &Roster, number: u32, now: Instant) -> Arc<InstanceState> {
    let state = roster.everybody().into_iter().find(|state| state.instance().number == number).unwrap();
    let _ = state.admit(now).unwrap().record(Outcome::Failure, now);
    roster.turned(&state, now);
    state
}

#[test]
fn who_is_not_listed_any_more_is_gone() {
    let (roster, now) = (roster(), Instant::now());
    assert_eq!(told(&roster.note_listing(listing(1, vec![listed(1, 1), listed(2, 1)]), now)), ["up 1", "up 2"]);
    assert_eq!(ready(&roster), [1, 2]);
    assert_eq!(told(&roster.note_listing(listing(1, vec![listed(2, 1)]), now)), ["gone 1"]);
    assert_eq!(ready(&roster), [2]);
    assert_eq!(told(&roster.note([listed(1, 1)], now)), ["up 1"]);
    assert_eq!(ready(&roster), [1, 2]);
}

#[test]
fn who_is_silent_is_told_as_that_and_is_asked_nevertheless() {
    let (roster, now) = (roster(), Instant::now());
    let silent = Listed { presence: Presence::Silent, ..listed(1, 1) };
    assert_eq!(told(&roster.note([silent], now)), ["silent 1"]);
    assert_eq!(ready(&roster), [1]);
}

#[test]
fn a_restarted_registry_that_knows_nobody_empties_nothing() {
    let (roster, now) = (roster(), Instant::now());
    roster.note_listing(listing(1, vec![listed(1, 1), listed(2, 1)]), now);
    for later in 0..3 {
        assert_eq!(told(&roster.note_listing(listing(2 + later, vec![]), now)), [""; 0]);
        assert_eq!(ready(&roster), [1, 2]);
    }
    // The watch is lost and resumed: the same new registry still knows nobody.
    assert_eq!(told(&roster.note_listing(listing(4, vec![]), now)), [""; 0]);
    assert_eq!(told(&roster.note([listed(2, 1)], now + SECOND)), [""; 0]);

    // Nobody re-registers #1: it turns silent and gone, by the timing table.
    assert_eq!(roster.tick(now).1, Some(now + SILENT_AFTER));
    let (noted, next) = roster.tick(now + SILENT_AFTER);
    assert_eq!((told(&noted), next), (vec!["silent 1".to_owned()], Some(now + SILENT_AFTER + GONE_AFTER)));
    assert_eq!(ready(&roster), [1, 2]);
    assert_eq!(told(&roster.tick(now + SILENT_AFTER + GONE_AFTER).0), ["gone 1"]);
    assert_eq!(ready(&roster), [2]);
}

#[test]
fn a_list_that_has_lost_too_many_is_not_believed_at_once() {
    for (before, after, believed) in
        [(10, 7, true), (10, 6, false), (20, 14, true), (20, 13, false), (3, 1, true), (4, 1, false), (1, 0, false)]
    {
        let (roster, now) = (roster(), Instant::now());
        let list = |count| listing(1, (1..=count).map(|number| listed(number, 1)).collect());
        roster.note_listing(list(before), now);
        let gone = roster.note_listing(list(after), now).len() as u32;
        assert_eq!(gone, if believed { before - after } else { 0 }, "{after} of {before}");
        if believed {
            continue;
        }
        // Again and again the same, and nothing changes about when they are gone.
        assert_eq!(told(&roster.note_listing(list(after), now + 10 * SECOND)), [""; 0]);
        assert_eq!(roster.tick(now + SILENT_AFTER).0.len() as u32, before - after);
        assert_eq!(roster.tick(now + SILENT_AFTER + GONE_AFTER).0.len() as u32, before - after);
        assert_eq!(ready(&roster), (1..=after).collect::<Vec<_>>());
    }
}

#[test]
fn one_by_one_they_may_all_leave() {
    let (roster, now) = (roster(), Instant::now());
    roster.note_listing(listing(1, (1..=9).map(|number| listed(number, 1)).collect()), now);
    for number in 1..=9 {
        let id = listed(number, 1).instance.id;
        assert_eq!(told(&roster.note_gone(&id, GoneReason::Left, now)), [format!("gone {number}")]);
    }
    assert_eq!(ready(&roster), [0; 0]);
    assert_eq!(told(&roster.note_listing(listing(1, vec![]), now)), [""; 0]);
}

#[test]
fn who_is_missing_is_gone_when_the_registry_says_so() {
    let (roster, now) = (roster(), Instant::now());
    roster.note_listing(listing(1, vec![listed(1, 1), listed(2, 1)]), now);
    roster.note_listing(listing(1, vec![]), now);
    assert_eq!(told(&roster.note_gone(&listed(1, 1).instance.id, GoneReason::Left, now)), ["gone 1"]);
    assert_eq!(ready(&roster), [2]);
}

#[test]
fn who_is_suspect_is_asked_nevertheless() {
    let (roster, now) = (roster(), Instant::now());
    let suspect = |number| Listed { presence: Presence::Suspect, ..listed(number, 1) };
    assert_eq!(told(&roster.note([listed(1, 1), suspect(2)], now)), ["suspect 2", "up 1"]);
    assert_eq!(ready(&roster), [1, 2]);
    // Missing, it is no less suspect.
    roster.note_listing(listing(1, vec![]), now);
    roster.note_listing(listing(2, vec![]), now);
    assert_eq!(told(&roster.tick(now + SILENT_AFTER).0), ["silent 1"]);
}

#[test]
fn who_drains_is_asked_when_nobody_else_can_be() {
    let (roster, now) = (roster(), Instant::now());
    let draining = |number| Listed { presence: Presence::Draining, ..listed(number, 1) };
    let picked = || {
        let picked = |tried: &[_]| {
            let permit = roster.rotation.pick(&roster.ready(), tried, now).expect("somebody");
            permit.holder().instance().instance().number
        };
        let mut picked: Vec<_> = (0..100).map(|_| picked(&[])).collect();
        picked.sort_unstable();
        picked.dedup();
        picked
    };
    let each = || roster.ready().each().map(|state| state.instance().number).collect::<Vec<_>>();
    roster.note([listed(1, 1), listed(2, 1), listed(3, 1)], now);
    let state = roster.everybody().remove(1);
    assert_eq!(told(&roster.note([draining(2)], now)), ["draining 2"]);
    assert_eq!((ready(&roster), picked(), each()), (vec![1, 3], vec![1, 3], vec![1, 3]));
    assert!(state.is_present() && Arc::ptr_eq(&state, &roster.everybody()[1]), "it keeps its breaker");

    // Nobody else is left who is closed, or who was not tried yet.
    let tried = [Arc::clone(&roster.everybody()[0]), Arc::clone(&roster.everybody()[2])];
    let last = roster.rotation.pick(&roster.ready(), &tried, now).expect("the draining one");
    assert_eq!(last.holder().instance().instance().number, 2);
    drop(last);
    open(&roster, 1, now);
    assert_eq!(picked(), [3]);
    open(&roster, 3, now);
    assert_eq!((picked(), each()), (vec![2], vec![1, 2, 3]));
    roster.note([draining(1), draining(3)], now);
    assert_eq!(picked(), [2]);
    let opened = open(&roster, 2, now);
    assert!(roster.rotation.pick(&roster.ready(), &[], now).is_none());

    // All of them drain: they take turns. One that takes calls again is the only one who does.
    for state in roster.everybody() {
        state.breaker.tick(now + 30 * SECOND);
        let probe = state.admit_probe(now + 30 * SECOND).unwrap();
        let _ = probe.record(Outcome::Success, now + 30 * SECOND);
    }
    roster.turned(&opened, now);
    assert_eq!((ready(&roster), picked(), each()), (vec![], vec![1, 2, 3], vec![1, 2, 3]));
    assert_eq!(told(&roster.note([listed(2, 1)], now)), ["up 2"]);
    assert_eq!((picked(), each()), (vec![2], vec![2]));
    // Who drains and is missing does not come back to the rotation by that.
    roster.note_listing(listing(1, vec![]), now);
    roster.note_listing(listing(2, vec![]), now);
    assert_eq!(told(&roster.tick(now + SILENT_AFTER).0), ["silent 2"]);
    assert_eq!(picked(), [2]);
}

#[test]
fn a_breaker_outlives_its_instances_absence() {
    let (roster, now) = (roster(), Instant::now());
    roster.note_listing(listing(1, vec![listed(1, 1), listed(2, 1)]), now);
    let opened = open(&roster, 1, now);
    assert_eq!(ready(&roster), [2]);
    let id = listed(1, 1).instance.id;
    assert_eq!(told(&roster.note_gone(&id, GoneReason::ConnectionClosed, now)), ["gone 1"]);
    assert_eq!(told(&roster.note([listed(1, 1)], now)), ["up 1"]);
    assert_eq!((ready(&roster), opened.breaker.state(now)), (vec![2], BreakerState::Open));
}

#[test]
fn a_new_incarnation_is_retested_at_once() {
    let (roster, now) = (roster(), Instant::now());
    roster.note_listing(listing(1, vec![listed(1, 1)]), now);
    let opened = open(&roster, 1, now);
    assert_eq!(told(&roster.note([listed(1, 2)], now)), ["retest 1"]);
    assert_eq!(opened.breaker.state(now), BreakerState::HalfOpen);
    // It is probed by itself: no call need look at it.
    roster.turned(&opened, now);
    assert!(roster.ready().untested.is_empty());
}

#[test]
fn calls_that_go_elsewhere_are_counted_while_a_breaker_is_open() {
    let (roster, now) = (roster(), Instant::now());
    roster.note([listed(1, 1), listed(2, 1)], now);
    roster.count_call();
    let opened = open(&roster, 1, now);
    (0..3).for_each(|_| roster.count_call());
    assert_eq!(opened.skipped(roster.calls()), 3);
    // Nobody is skipped who is not there.
    roster.note_gone(&opened.instance().id, GoneReason::Left, now);
    roster.count_call();
    assert_eq!((opened.skipped(roster.calls()), roster.calls()), (3, 5));
}

#[test]
fn an_instance_that_changes_its_number_changes_its_place() {
    let (roster, now) = (roster(), Instant::now());
    roster.note([listed(1, 1), listed(2, 1), listed(3, 1)], now);
    let mut renumbered = listed(1, 1);
    renumbered.instance.number = 9;
    roster.note([renumbered], now);
    assert_eq!(ready(&roster), [2, 3, 9]);
    assert_eq!(roster.everybody().len(), 3);
}

#[test]
fn an_instance_that_moves_leaves_its_old_address() {
    let (roster, now) = (roster(), Instant::now());
    roster.note_listing(listing(1, vec![listed(1, 1)]), now);
    let mut moved = listed(1, 2);
    moved.instance.address = "127.0.0.1:9001".parse().unwrap();
    assert_eq!(told(&roster.note([moved], now)), ["gone 1", "up 1"]);
    let present: Vec<_> = roster.ready().present.iter().map(|state| state.instance().address.port()).collect();
    assert_eq!(present, [9001]);
}

#[test]
fn an_address_taken_over_is_not_gone_with_its_former_owner() {
    let (roster, now) = (roster(), Instant::now());
    roster.note_listing(listing(1, vec![listed(1, 1)]), now);
    let mut heir = listed(5, 2);
    heir.instance.address = listed(1, 1).instance.address;
    roster.note([heir], now);
    assert_eq!(told(&roster.note_gone(&listed(1, 1).instance.id, GoneReason::Left, now)), [""; 0]);
    assert_eq!(ready(&roster), [5]);
}

#[test]
fn an_address_taken_over_while_the_registry_was_away_is_not_missed() {
    let (roster, now) = (roster(), Instant::now());
    roster.note_listing(listing(1, vec![listed(1, 1)]), now);
    let mut heir = listed(5, 2);
    heir.instance.address = listed(1, 1).instance.address;
    roster.note_listing(listing(2, vec![heir]), now);
    assert_eq!(told(&roster.tick(now + SILENT_AFTER + GONE_AFTER).0), [""; 0]);
    assert_eq!(ready(&roster), [5]);
}

#[test]
fn who_is_gone_for_long_is_forgotten() {
    let (roster, now) = (roster(), Instant::now());
    roster.note_listing(listing(1, vec![listed(1, 1), listed(2, 1)]), now);
    roster.note_gone(&listed(1, 1).instance.id, GoneReason::Left, now);
    let gone = roster.everybody().swap_remove(0);
    let ten_minutes = 600 * SECOND;
    assert_eq!(roster.tick(now).1, Some(now + ten_minutes));
    assert_eq!((roster.everybody().len(), roster.is_forgotten(&gone)), (2, false));
    roster.tick(now + ten_minutes);
    assert_eq!((roster.everybody().len(), roster.is_forgotten(&gone)), (1, true));
    // Whoever comes to its address later is somebody else.
    roster.note([listed(1, 1)], now);
    assert_eq!((roster.everybody().len(), roster.is_forgotten(&gone)), (2, true));
}

#[test]
fn not_more_than_a_thousand_are_remembered() {
    let (roster, now) = (roster(), Instant::now());
    for port in 1..=1100 {
        let mut guest = listed(1, 1);
        guest.instance.id = format!("guest-{port}").parse().unwrap();
        guest.instance.address = format!("127.0.0.1:{port}").parse().unwrap();
        roster.note([guest.clone()], now);
        roster.note_gone(&guest.instance.id, GoneReason::Left, now + SECOND * port);
    }
    roster.tick(now);
    assert_eq!(roster.everybody().len(), REMEMBER_LIMIT);
    let oldest = roster.everybody().iter().map(|state| state.instance().address.port()).min();
    assert_eq!(oldest, Some(101), "the oldest go first");
}
