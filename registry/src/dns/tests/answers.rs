//! Who is answered, and as what.

use std::collections::BTreeSet;

use hickory_proto::op::ResponseCode::NoError;
use hickory_proto::rr::RecordType::{A, AAAA, ANY, CNAME, MX, SRV, TXT};

use super::*;

const NAME: &str = "ratings.service.consul.";

fn answers(instances: Vec<Listed>, kind: RecordType) -> Vec<String> {
    said(&ask(&resolver(Known::with("ratings", instances)), NAME, kind)).1
}

#[test]
fn an_srv_has_port_and_weight_and_a_target_that_is_answered_too() {
    let instances = vec![up("127.0.0.1:8001"), up("127.0.0.1:8002"), up("[2001:db8::2]:8003"), up("127.0.0.1:8001")];
    let resolver = resolver(Known::with("ratings", instances));
    let answer = ask(&resolver, NAME, SRV);
    let six = "8003.20010db8000000000000000000000002.addr.dc1.consul.";
    let targets = [
        "SRV 1 7 8001 8001.7f000001.addr.dc1.consul.".to_owned(),
        "SRV 1 7 8002 8002.7f000001.addr.dc1.consul.".to_owned(),
        format!("SRV 1 7 8003 {six}"),
    ];
    assert_eq!(said(&answer).1, targets, "each once");
    let additional: BTreeSet<_> = answer.additionals.iter().map(|record| record.to_string()).collect();
    let four = |port| format!("{port}.7f000001.addr.dc1.consul. 0 IN A 127.0.0.1");
    let expected = [format!("{six} 0 IN AAAA 2001:db8::2"), four(8001), four(8002)];
    assert_eq!(additional, BTreeSet::from(expected), "each once");
    for record in &answer.additionals {
        let kind = record.record_type();
        assert_eq!(said(&ask(&resolver, &record.name.to_string(), kind)).1, [spell(&record.data)]);
    }
}

#[test]
fn addresses_are_said_once_and_by_their_kind() {
    let instances = || vec![up("127.0.0.1:1"), up("127.0.0.1:2"), up("[::1]:1"), up("there.example:1")];
    assert_eq!(answers(instances(), A), ["A 127.0.0.1"]);
    assert_eq!(answers(instances(), AAAA), ["AAAA ::1"]);
    assert_eq!(answers(instances(), ANY), ["A 127.0.0.1", "AAAA ::1"]);
    for kind in [TXT, MX, CNAME] {
        assert_eq!(answers(instances(), kind), [""; 0], "{kind}");
    }
}

#[test]
fn a_host_name_is_a_target_and_an_alias() {
    let hosts =
        || vec![up("There.example:1"), up("there_2.example:2"), up("a~b:1"), up(&format!("{}:1", "a".repeat(64)))];
    let resolver = resolver(Known::with("ratings", hosts()));
    let answer = ask(&resolver, NAME, SRV);
    assert_eq!(said(&answer).1, ["SRV 1 7 1 There.example.", "SRV 1 7 2 there_2.example."]);
    assert!(answer.additionals.is_empty());
    let mut seen = BTreeSet::new();
    for kind in [A, AAAA, ANY, CNAME] {
        for _ in 0..20 {
            let (code, said) = said(&ask(&resolver, NAME, kind));
            assert_eq!((code, said.len()), (NoError, 1));
            seen.extend(said);
        }
    }
    assert_eq!(seen.into_iter().collect::<Vec<_>>(), ["CNAME There.example.", "CNAME there_2.example."]);
}

#[test]
fn those_who_are_up_are_answered_and_if_nobody_is_those_in_doubt() {
    use Presence::{Draining, Silent, Suspect, Up};
    let instances = |presences: &[Presence]| {
        let listed = |(n, presence): (usize, &Presence)| listed(&format!("127.0.0.{n}:1"), *presence, &["a"]);
        presences.iter().enumerate().map(listed).collect::<Vec<_>>()
    };
    for (presences, expected) in [
        (&[Silent, Up, Suspect, Draining][..], &["A 127.0.0.1"][..]),
        (&[Silent, Draining, Suspect], &["A 127.0.0.0", "A 127.0.0.2"]),
        (&[Draining], &[]),
        (&[], &[]),
    ] {
        assert_eq!(answers(instances(presences), A), expected, "{presences:?}");
        assert_eq!(answers(instances(presences), SRV).len(), expected.len());
    }
    // It is so for each tag by itself.
    let mut both = instances(&[Up, Silent]);
    both[1].instance.tags = vec!["b".to_owned()];
    let resolver = resolver(Known::with("ratings", both));
    assert_eq!(said(&ask(&resolver, "b.ratings.service.consul.", A)).1, ["A 127.0.0.1"]);
}

#[test]
fn everybody_is_first_in_turn() {
    let resolver = resolver(Known::with("ratings", many(1_000)));
    for kind in [A, SRV] {
        let mut tenths = [0_u32; 10];
        for _ in 0..2_000 {
            let answer = exchange(&resolver, &query(NAME, kind), Transport::Udp).0;
            let distinct: BTreeSet<_> = said(&answer).1.into_iter().collect();
            assert_eq!(distinct.len(), answer.answers.len(), "nobody twice");
            let place = match &answer.answers[0].data {
                RData::A(a) => a.0.to_bits() & 0xffff,
                RData::SRV(srv) => u32::from(srv.port) - 1_000,
                other => panic!("{other}"),
            };
            tenths[(place / 100) as usize] += 1;
        }
        assert!(tenths.iter().all(|times| (100..=300).contains(times)), "{kind}: {tenths:?}");
    }
}

#[test]
fn a_change_is_answered_at_once() {
    let known = Known::with("ratings", vec![up("127.0.0.1:1")]);
    let resolver = resolver(Arc::clone(&known));
    assert_eq!(said(&ask(&resolver, NAME, A)).1, ["A 127.0.0.1"]);
    known.0.lock().clear();
    assert_eq!(said(&ask(&resolver, NAME, A)), UNKNOWN);
    known.put("ratings", vec![up("127.0.0.2:1")]);
    assert_eq!(said(&ask(&resolver, NAME, A)).1, ["A 127.0.0.2"], "though it is revision 1 again");
    known.put("ratings", vec![up("127.0.0.3:1")]);
    assert_eq!(said(&ask(&resolver, NAME, A)).1, ["A 127.0.0.3"]);
    known.put("ratings", vec![]);
    assert_eq!(said(&ask(&resolver, NAME, A)), EXISTS);
}

#[test]
fn more_services_than_views_are_kept_are_answered() {
    let known = Arc::new(Known::default());
    (0..600).for_each(|n| known.put(&format!("s{n}"), vec![up(&format!("127.0.{}.{}:1", n / 256, n % 256))]));
    let resolver = resolver(known);
    for n in (0..600).chain(0..600) {
        let expected = format!("A 127.0.{}.{}", n / 256, n % 256);
        assert_eq!(said(&ask(&resolver, &format!("s{n}.service.consul."), A)).1, [expected]);
    }
}
