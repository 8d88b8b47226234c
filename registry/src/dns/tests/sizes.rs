//! How long an answer may be, and what goes when it may not.

use std::collections::HashSet;

use hickory_proto::rr::RecordType::{A, SRV};
use hickory_proto::serialize::binary::{BinDecodable, BinDecoder};

use super::*;
use crate::dns::Limits;

const NAME: &str = "ratings.service.consul.";

fn of(count: u32) -> Resolver {
    resolver(Known::with("ratings", many(count)))
}

fn sized(resolver: &Resolver, kind: RecordType, payload: Option<u16>) -> (Message, usize) {
    let query = query(NAME, kind);
    let query = payload.map_or(query.clone(), |payload| with_edns(query, payload));
    exchange(resolver, &query, Transport::Udp)
}

#[test]
fn an_answer_is_as_long_as_the_query_allows() {
    let resolver = of(1_000);
    for kind in [A, SRV] {
        for (payload, limit) in [
            (None, 512),
            (Some(0), 512),
            (Some(600), 600),
            (Some(1_232), 1_232),
            (Some(4_096), 4_096),
            (Some(65_535), 4_096),
        ] {
            let (answer, length) = sized(&resolver, kind, payload);
            let least = limit - if kind == A { 16 } else { 48 };
            assert!((least..=limit).contains(&length), "{kind} {payload:?}: {length}");
            assert!(answer.truncation);
            assert_eq!(answer.edns.is_some(), payload.is_some());
            assert_eq!(answer.edns.map_or(4_096, |edns| edns.max_payload()), 4_096);
        }
    }
    let limits = Limits { payload: 1_232, ..Limits::default() };
    let config = Config { limits, ..Config::default() };
    let resolver = Resolver::new(Known::with("ratings", many(1_000)), &config, None);
    assert!((1_200..=1_232).contains(&sized(&resolver, A, Some(4_096)).1));
}

#[test]
fn additional_records_go_before_answers_do() {
    let mut seen = [false; 3];
    for count in 1..30 {
        let (answer, _) = sized(&of(count), SRV, None);
        let (answers, additionals) = (answer.answers.len(), answer.additionals.len());
        let all = answers == count as usize;
        assert_eq!(answer.truncation, !all);
        assert!(additionals == 0 || all, "{count}: {answers} and {additionals}");
        seen[if !all { 2 } else { usize::from(additionals < answers) }] = true;
    }
    assert_eq!(seen, [true; 3], "all of both, fewer additional ones, fewer answers");
}

#[test]
fn over_tcp_all_comes_that_fits_into_a_message() {
    for (count, kind, whole) in [(1_000, SRV, true), (4_000, A, true), (10_000, A, false), (10_000, SRV, false)] {
        let (answer, length) = exchange(&of(count), &query(NAME, kind), Transport::Tcp);
        assert_eq!(answer.truncation, !whole, "{count} {kind}");
        assert_eq!(answer.answers.len() == count as usize, whole);
        assert!(whole || length > 65_400, "{length}");
        let distinct: HashSet<_> = said(&answer).1.into_iter().collect();
        assert_eq!(distinct.len(), answer.answers.len());
    }
}

#[test]
fn each_target_is_pointed_to_or_spelt_out() {
    // Pointers reach as far as 16 KiB.
    for count in [300, 700] {
        let (answer, _) = exchange(&of(count), &query(NAME, SRV), Transport::Tcp);
        assert_eq!((answer.answers.len(), answer.additionals.len()), (count as usize, count as usize));
        let targets: HashSet<_> = answer.additionals.iter().map(|record| record.name.to_string()).collect();
        for record in &answer.answers {
            let RData::SRV(srv) = &record.data else { panic!("{record}") };
            assert!(targets.contains(&srv.target.to_string()), "{srv}");
        }
    }
}

#[test]
fn nothing_stands_behind_an_answer() {
    for count in 0..40 {
        for (kind, payload) in [(A, None), (SRV, None), (SRV, Some(700)), (SRV, Some(1_232))] {
            let query = query(NAME, kind);
            let query = payload.map_or(query.clone(), |payload| with_edns(query, payload));
            let bytes = of(count).answer(&query.to_vec().unwrap(), Transport::Udp).unwrap();
            let mut decoder = BinDecoder::new(&bytes);
            Message::read(&mut decoder).unwrap();
            assert!(decoder.is_empty(), "{count} {kind} {payload:?}: {} bytes", decoder.len());
        }
    }
}

#[test]
fn the_longest_names_fit() {
    let service = "s".repeat(63);
    let tag = ["t".repeat(63), "u".repeat(60)].join(".");
    let host = format!("{}.host", "h".repeat(63));
    let listed = listed(&format!("{host}:65535"), Presence::Up, &[&tag]);
    let resolver = resolver(Known::with(&service, vec![listed]));
    let name = format!("{tag}.{service}.service.dc1.dc.consul.");
    let (answer, length) = exchange(&resolver, &query(&name, SRV), Transport::Udp);
    assert_eq!((answer.answers.len(), answer.truncation), (1, false));
    assert!(length <= 512);
    let (nothing, _) = exchange(&resolver, &query(&name, RecordType::TXT), Transport::Udp);
    assert_eq!((said(&nothing), nothing.authorities.len()), (EXISTS, 1));
}
