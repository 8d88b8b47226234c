//! Any message to the name server: it is answered within its bounds, or ignored.

#![no_main]

use std::sync::{Arc, LazyLock};

use libfuzzer_sys::fuzz_target;
use mainstay_contracts::registry::Listed;
use mainstay_registry::dns::{Config, Names, Resolver, Transport};
use serde_json::json;

/// One service with instances of every kind, and one that nobody is left of.
struct Known(Vec<Arc<Listed>>);

impl Names for Known {
    fn revision(&self, service: &str) -> Option<u64> {
        matches!(service, "ratings" | "empty").then_some(1)
    }

    fn instances(&self, service: &str) -> Vec<Arc<Listed>> {
        if service == "ratings" { self.0.clone() } else { Vec::new() }
    }
}

fn instance(n: u32) -> Listed {
    let host = match n % 3 {
        0 => format!("10.0.{}.{}", n / 256, n % 256),
        1 => format!("[2001:db8::{n:x}]"),
        _ => format!("host-{n}.example"),
    };
    let presence = ["up", "silent", "suspect", "draining"][(n / 3 % 4) as usize];
    let tag = ["primary", "v1.2", "b", "c"][(n % 4) as usize];
    let json = json!({
        "id": format!("r{n}"), "number": n, "address": format!("{host}:{}", n + 1), "incarnation": 1,
        "presence": presence, "tags": [tag],
    });
    serde_json::from_value(json).expect("an instance")
}

static RESOLVER: LazyLock<Resolver> = LazyLock::new(|| {
    let known = Known((0..300).map(instance).map(Arc::new).collect());
    Resolver::new(Arc::new(known), &Config::default(), None)
});

fuzz_target!(|message: &[u8]| {
    let query = message.len() >= 12 && message[2] & 0x80 == 0;
    for (transport, limit) in [(Transport::Udp, 4_096), (Transport::Tcp, 65_535)] {
        let answer = RESOLVER.answer(message, transport);
        assert_eq!(answer.is_some(), query, "a query is answered, and nothing else is");
        let Some(answer) = answer else { return };
        assert!((12..=limit).contains(&answer.len()), "it has {} bytes", answer.len());
        assert!(answer[..2] == message[..2] && answer[2] & 0x80 != 0, "it is the answer to this one");
        assert_eq!(end(&answer), answer.len(), "it holds what its header says, and nothing behind that");
    }
});

/// Where a message ends, by its header. Read again here, so that it is not the codec that checks itself.
fn end(message: &[u8]) -> usize {
    let number = |at: usize| usize::from(message[at]) << 8 | usize::from(message[at + 1]);
    let mut at = (0..number(4)).fold(12, |at, _| behind_name(message, at) + 4);
    for _ in 0..number(6) + number(8) + number(10) {
        at = behind_name(message, at);
        at += 10 + number(at + 8);
    }
    at
}

fn behind_name(message: &[u8], mut at: usize) -> usize {
    loop {
        match message[at] {
            0 => return at + 1,
            length if length & 0xC0 == 0xC0 => return at + 2,
            length => at += 1 + usize::from(length),
        }
    }
}
