//! Which names there are.

use hickory_proto::op::ResponseCode::{NoError, Refused};
use hickory_proto::rr::RecordType::{A, AAAA, ANY, NS, SOA, SRV};

use super::*;

fn ratings() -> Resolver {
    let instances = vec![
        listed("127.0.0.1:8001", Presence::Up, &["Primary", "v1.2"]),
        listed("127.0.0.2:8002", Presence::Up, &["tcp"]),
        listed("127.0.0.3:8003", Presence::Draining, &["leaving"]),
    ];
    resolver(Known::with("ratings", instances))
}

#[test]
fn a_service_has_all_its_names() {
    let resolver = ratings();
    for name in [
        "ratings.service.consul.",
        "ratings.service.dc1.consul.",
        "ratings.service.dc1.dc.consul.",
        "RaTings.SERVICE.Dc1.CONSUL.",
        "_ratings._tcp.service.consul.",
        "_ratings._udp.service.dc1.consul.",
        "_ratings._TCP.consul.",
        "_ratings._tcp.dc1.consul.",
    ] {
        let both = (NoError, vec!["A 127.0.0.1".to_owned(), "A 127.0.0.2".to_owned()]);
        let answer = ask(&resolver, name, A);
        assert_eq!(said(&answer), both, "{name}");
        assert!(answer.authoritative && answer.recursion_desired && answer.authorities.is_empty());
        assert_eq!(ask(&resolver, name, SRV).answers.len(), 2, "{name}");
    }
}

#[test]
fn a_tag_chooses_among_them() {
    let resolver = ratings();
    for name in [
        "primary.ratings.service.consul.",
        "PRIMARY.ratings.service.dc1.consul.",
        "_ratings._primary.service.consul.",
        "_ratings._Primary.dc1.consul.",
        "v1.2.ratings.service.consul.",
    ] {
        assert_eq!(said(&ask(&resolver, name, A)), (NoError, vec!["A 127.0.0.1".to_owned()]), "{name}");
    }
    // As a tag and not as the protocol.
    assert_eq!(said(&ask(&resolver, "tcp.ratings.service.consul.", A)).1, ["A 127.0.0.2"]);
    assert_eq!(said(&ask(&resolver, "leaving.ratings.service.consul.", A)), EXISTS);
    for name in ["2.ratings.service.consul.", "other.ratings.service.consul.", "_ratings._other.consul."] {
        assert_eq!(said(&ask(&resolver, name, A)), UNKNOWN, "{name}");
    }
}

#[test]
fn what_nobody_registered_is_unknown_and_what_is_between_exists() {
    let resolver = ratings();
    for name in [
        "other.service.consul.",
        "_other._tcp.consul.",
        "ratings.consul.",
        "ratings.service.dc2.consul.",
        "ratings.service.dc1.dc2.consul.",
        "ratings.dc2.consul.",
        "ratings.node.consul.",
        "a.ns.consul.",
        "zzzzzzzz.addr.consul.",
        "7f0001.addr.consul.",
        "a.7f000001.addr.consul.",
        "7f000001.addr.dc2.consul.",
    ] {
        let answer = ask(&resolver, name, A);
        assert_eq!(said(&answer), UNKNOWN, "{name}");
        let authority = answer.authorities.iter().map(|record| record.to_string()).collect::<Vec<_>>();
        assert_eq!(authority, ["consul. 0 IN SOA ns.consul. hostmaster.consul. 1 3600 600 86400 0"], "{name}");
        assert!(answer.authoritative);
    }
    for wrong in [[&b"+f000001"[..], b"addr"], [b"\xff\xfe", b"service"], [b"rat.ings", b"service"]] {
        let name = Name::from_labels(wrong.into_iter().chain([&b"consul"[..]])).unwrap();
        let mut query = query(".", A);
        query.queries[0].set_name(name);
        assert_eq!(said(&exchange(&resolver, &query, Transport::Udp).0), UNKNOWN, "{wrong:?}");
    }
    for name in ["service.consul.", "service.dc1.consul.", "dc1.consul.", "dc1.dc.consul.", "dc.consul."] {
        assert_eq!(said(&ask(&resolver, name, A)), EXISTS, "{name}");
    }
    for name in ["addr.consul.", "_tcp.consul.", "_tcp.service.consul."] {
        let answer = ask(&resolver, name, A);
        assert_eq!((said(&answer), answer.authorities.len()), (EXISTS, 1), "{name}");
    }
}

#[test]
fn what_is_somebody_elses_is_refused() {
    let resolver = ratings();
    for name in [".", "example.", "ratings.service.", "consul.example.", "notconsul.", "1.0.0.127.in-addr.arpa."] {
        let answer = ask(&resolver, name, A);
        assert_eq!(said(&answer), (Refused, vec![]), "{name}");
        assert!(!answer.authoritative && answer.authorities.is_empty());
    }
}

#[test]
fn addresses_and_the_server_have_names() {
    let resolver = ratings();
    let six = "20010db8000000000000000000000001.addr.dc1.consul.";
    assert_eq!(said(&ask(&resolver, "7F000001.addr.consul.", A)).1, ["A 127.0.0.1"]);
    assert_eq!(said(&ask(&resolver, "7f000001.addr.dc1.consul.", ANY)).1, ["A 127.0.0.1"]);
    assert_eq!(said(&ask(&resolver, "7f000001.addr.consul.", AAAA)), EXISTS);
    assert_eq!(said(&ask(&resolver, six, AAAA)).1, ["AAAA 2001:db8::1"]);
    assert_eq!(said(&ask(&resolver, six, A)), EXISTS);
    assert_eq!(said(&ask(&resolver, "ns.consul.", A)).1, ["A 127.0.0.1"]);
    let apex = ask(&resolver, "consul.", NS);
    assert_eq!((said(&apex).1, apex.additionals.len()), (vec!["NS ns.consul.".to_owned()], 1));
    assert_eq!(said(&ask(&resolver, "consul.", SOA)).1.len(), 1);
    assert_eq!(said(&ask(&resolver, "consul.", ANY)).1.len(), 2);
    assert_eq!(said(&ask(&resolver, "consul.", A)), EXISTS);
}

#[test]
fn domain_and_datacentre_can_be_others() {
    let config = Config {
        domain: "Mainstay.Example".parse().unwrap(),
        datacentre: "home".parse().unwrap(),
        ..Config::default()
    };
    let resolver = Resolver::new(Known::with("ratings", vec![up("127.0.0.1:1")]), &config, None);
    let answer = ask(&resolver, "ratings.service.home.mainstay.example.", SRV);
    assert_eq!(said(&answer).1, ["SRV 1 7 1 1.7f000001.addr.home.mainstay.example."]);
    assert_eq!(said(&ask(&resolver, "ns.mainstay.example.", A)), EXISTS);
    assert_eq!(said(&ask(&resolver, "ratings.service.dc1.mainstay.example.", A)), UNKNOWN);
    assert_eq!(said(&ask(&resolver, "ratings.service.consul.", A)).0, Refused);
}
