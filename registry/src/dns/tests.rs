//! Queries and their answers, without sockets.

mod answers;
mod malformed;
mod names;
mod sizes;

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use hickory_proto::op::{Edns, Message, MessageType, OpCode, Query, ResponseCode};
use hickory_proto::rr::{Name, RData, RecordType};
use mainstay_contracts::registry::{Instance, Listed, Presence};
use parking_lot::Mutex;

use super::{Config, Names, Resolver, Transport};

/// What a test says that there is.
#[derive(Default)]
struct Known(Mutex<HashMap<String, (u64, All)>>);

type All = Vec<Arc<Listed>>;

impl Names for Known {
    fn revision(&self, service: &str) -> Option<u64> {
        self.0.lock().get(service).map(|(revision, _)| *revision)
    }

    fn instances(&self, service: &str) -> All {
        self.0.lock().get(service).map(|(_, instances)| instances.clone()).unwrap_or_default()
    }
}

impl Known {
    /// A later revision of a service.
    fn put(&self, service: &str, instances: Vec<Listed>) {
        let mut known = self.0.lock();
        let (revision, listed) = known.entry(service.to_owned()).or_default();
        *revision += 1;
        *listed = instances.into_iter().map(Arc::new).collect();
    }

    fn with(service: &str, instances: Vec<Listed>) -> Arc<Self> {
        let known = Self::default();
        known.put(service, instances);
        Arc::new(known)
    }
}

fn listed(address: &str, presence: Presence, tags: &[&str]) -> Listed {
    let instance = Instance {
        id: "one".parse().unwrap(),
        number: 1,
        address: address.parse().unwrap(),
        zone: None,
        weight: 7,
        version: None,
        tags: tags.iter().map(|tag| (*tag).to_owned()).collect(),
        metadata: Default::default(),
        incarnation: 1,
    };
    Listed { instance, presence }
}

fn up(address: &str) -> Listed {
    listed(address, Presence::Up, &[])
}

/// As many, each with an address of its own.
fn many(count: u32) -> Vec<Listed> {
    (0..count).map(|n| up(&format!("10.1.{}.{}:{}", n / 256, n % 256, 1_000 + n % 50_000))).collect()
}

fn resolver(known: Arc<Known>) -> Resolver {
    Resolver::new(known, &Config::default(), Some(IpAddr::from([127, 0, 0, 1])))
}

fn query(name: &str, kind: RecordType) -> Message {
    let mut message = Message::new(4711, MessageType::Query, OpCode::Query);
    message.metadata.recursion_desired = true;
    message.add_query(Query::query(Name::from_ascii(name).unwrap(), kind));
    message
}

fn with_edns(mut message: Message, payload: u16) -> Message {
    let mut edns = Edns::new();
    edns.set_max_payload(payload);
    message.set_edns(edns);
    message
}

fn exchange(resolver: &Resolver, query: &Message, transport: Transport) -> (Message, usize) {
    let bytes = resolver.answer(&query.to_vec().unwrap(), transport).expect("an answer");
    let answer = Message::from_vec(&bytes).unwrap();
    assert_eq!((answer.id, answer.message_type, answer.recursion_available), (4711, MessageType::Response, false));
    assert!(answer.answers.iter().chain(&answer.additionals).all(|record| record.ttl == 0));
    (answer, bytes.len())
}

fn ask(resolver: &Resolver, name: &str, kind: RecordType) -> Message {
    let query = with_edns(query(name, kind), 1_232);
    let answer = exchange(resolver, &query, Transport::Udp).0;
    assert_eq!(answer.queries, query.queries, "the question is said again, letter for letter");
    answer
}

/// What of an answer a client looks at, in an order of its own.
fn said(answer: &Message) -> (ResponseCode, Vec<String>) {
    let mut said: Vec<_> = answer.answers.iter().map(|record| spell(&record.data)).collect();
    said.sort();
    (answer.response_code, said)
}

fn spell(data: &RData) -> String {
    format!("{} {data}", data.record_type())
}

const EXISTS: (ResponseCode, Vec<String>) = (ResponseCode::NoError, Vec::new());
const UNKNOWN: (ResponseCode, Vec<String>) = (ResponseCode::NXDomain, Vec::new());
