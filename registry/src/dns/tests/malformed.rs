//! What is no query, or one of a kind that is not answered.

use std::sync::LazyLock;

use hickory_proto::op::ResponseCode::{FormErr, NotImp, Refused};
use hickory_proto::rr::DNSClass;
use hickory_proto::rr::RecordType::{A, ANY, AXFR, IXFR, OPT, SRV};
use proptest::prelude::*;

use super::*;

static RESOLVER: LazyLock<Resolver> = LazyLock::new(|| {
    let mut instances = many(50);
    instances.push(listed("there.example:1", Presence::Silent, &["primary"]));
    resolver(Known::with("ratings", instances))
});

fn bytes() -> Vec<u8> {
    query("ratings.service.consul.", A).to_vec().unwrap()
}

fn answered(bytes: &[u8]) -> Message {
    Message::from_vec(&RESOLVER.answer(bytes, Transport::Udp).expect("an answer")).unwrap()
}

#[test]
fn what_is_short_or_an_answer_itself_is_ignored() {
    for length in 0..12 {
        assert_eq!(RESOLVER.answer(&bytes()[..length], Transport::Udp), None);
    }
    let mut answer = bytes();
    answer[2] |= 0x80;
    assert_eq!(RESOLVER.answer(&answer, Transport::Tcp), None);
}

#[test]
fn other_operations_are_not_implemented() {
    for operation in 1..16 {
        let mut bytes = bytes();
        bytes[2] = operation << 3;
        assert_eq!(answered(&bytes).response_code, NotImp, "{operation}");
    }
}

#[test]
fn malformed_queries_are_told_so() {
    for length in 12..bytes().len() {
        assert_eq!(answered(&bytes()[..length]).response_code, FormErr, "{length}");
    }
    let with = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = bytes();
        change(&mut bytes);
        answered(&bytes).response_code
    };
    assert_eq!(with(&|bytes| bytes.push(0)), FormErr, "something behind it");
    assert_eq!(with(&|bytes| bytes[5] = 0), FormErr, "no question");
    assert_eq!(with(&|bytes| (bytes[4], bytes[5]) = (255, 255)), FormErr, "more questions than there are");
    assert_eq!(with(&|bytes| bytes[7] = 1), FormErr, "an answer to be read");
    assert_eq!(with(&|bytes| bytes[9] = 1), FormErr, "an authority to be read");
    assert_eq!(with(&|bytes| bytes[11] = 1), FormErr, "an additional record that is not there");
    assert_eq!(with(&|bytes| (bytes[12], bytes[13]) = (0xC0, 12)), FormErr, "a name that points to itself");
    assert_eq!(with(&|bytes| bytes[12] = 0x40), FormErr, "a label of a kind that does not exist");
    let mut two = query("ratings.service.consul.", A);
    two.add_query(Query::query(Name::root(), A));
    assert_eq!(answered(&two.to_vec().unwrap()).response_code, FormErr);
    assert_eq!(answered(&query("consul.", OPT).to_vec().unwrap()).response_code, FormErr);
}

#[test]
fn other_classes_and_transfers_are_refused() {
    for class in [DNSClass::CH, DNSClass::HS, DNSClass::ANY, DNSClass::NONE] {
        let mut query = query("ratings.service.consul.", A);
        query.queries[0].set_query_class(class);
        assert_eq!(answered(&query.to_vec().unwrap()).response_code, Refused, "{class}");
    }
    for kind in [AXFR, IXFR] {
        assert_eq!(answered(&query("consul.", kind).to_vec().unwrap()).response_code, Refused, "{kind}");
    }
}

#[test]
fn of_edns_there_is_version_0_once() {
    let with_version = |version| {
        let mut query = with_edns(query("ratings.service.consul.", A), 1_232);
        query.edns.as_mut().unwrap().set_version(version);
        answered(&query.to_vec().unwrap())
    };
    let fine = with_version(0);
    assert_eq!((fine.response_code, fine.answers.len()), (ResponseCode::NoError, 50));
    let other = with_version(1);
    // Two codes have the number 16, of which this is read as the other one.
    assert_eq!((u16::from(other.response_code), other.answers.len()), (16, 0));
    assert_eq!(other.edns.map(|edns| edns.version()), Some(0));
    let mut twice = with_edns(query("ratings.service.consul.", A), 1_232).to_vec().unwrap();
    twice.extend_from_within(twice.len() - 11..);
    twice[11] = 2;
    assert_eq!(answered(&twice).response_code, FormErr);
}

/// Holds for whatever comes.
fn check(bytes: &[u8]) {
    let query = bytes.len() >= 12 && bytes[2] & 0x80 == 0;
    for (transport, limit) in [(Transport::Udp, 4_096), (Transport::Tcp, 65_535)] {
        let answer = RESOLVER.answer(bytes, transport);
        assert_eq!(answer.is_some(), query);
        let Some(answer) = answer else { continue };
        assert!(answer.len() <= limit && answer[..2] == bytes[..2] && answer[2] & 0x80 != 0);
        Message::from_vec(&answer).unwrap();
    }
}

fn queries() -> impl Strategy<Value = Vec<u8>> {
    let label = prop_oneof!["(_?ratings|primary|_tcp|service|addr|dc1|dc|consul|7f000001)", "[a-zA-Z0-9_-]{1,63}"];
    let name = prop::collection::vec(label, 0..4).prop_map(|labels| [labels.join("."), "consul.".to_owned()].join("."));
    let kind = prop::sample::select(vec![A, SRV, ANY, RecordType::AAAA, RecordType::NS, RecordType::Unknown(999)]);
    (name, kind, prop::option::of(any::<u16>())).prop_filter_map("a name that fits", |(name, kind, payload)| {
        let mut message = Message::new(4711, MessageType::Query, OpCode::Query);
        message.add_query(Query::query(Name::from_ascii(name.trim_start_matches('.')).ok()?, kind));
        let message = payload.map_or(message.clone(), |payload| with_edns(message, payload));
        message.to_vec().ok()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn any_bytes_are_answered_or_ignored(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        check(&bytes);
    }

    #[test]
    fn queries_with_some_bytes_changed_are_answered_or_ignored(
        query in queries(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
        cut in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let mut bytes = query;
        changes.iter().for_each(|(place, byte)| *place.get_mut(&mut bytes) = *byte);
        cut.into_iter().for_each(|cut| bytes.truncate(cut.index(bytes.len()) + 1));
        check(&bytes);
    }
}
