//! How many queries a second are answered: to be run by hand, with nothing else to do.

use std::sync::Arc;
use std::time::Duration;

use hickory_proto::rr::RecordType::{self, A, SRV};
use mainstay_registry::dns::{Config, Resolver, Transport};
use tokio::net::UdpSocket;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::server::{Known, Running, query};

/// How long each is measured.
const LONG: Duration = Duration::from_secs(2);
/// How many ask at once over sockets.
const CLIENTS: usize = 16;

const COUNTS: [(&str, u32); 4] = [("s1", 1), ("s10", 10), ("s1000", 1_000), ("s10000", 10_000)];
const KINDS: [(&str, RecordType); 3] = [("", A), ("", SRV), ("tenth.", A)];

fn known() -> Known {
    COUNTS.iter().fold(Known::default(), |known, (service, count)| known.and(service, *count))
}

/// `cargo test --release -p mainstay-registry --test dns -- --ignored --nocapture queries`
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "measures, for a minute"]
async fn queries_in_a_second() {
    println!("{:>9} {:>8} {:>6} {:>12} {:>16}", "instances", "asked", "bytes", "resolver, /s", "over UDP, /s");
    for (service, count) in COUNTS {
        for (tag, kind) in KINDS {
            let message = query(1, &format!("{tag}{service}.service.consul."), kind);
            let resolver = Resolver::new(Arc::new(known()), &Config::default(), None);
            let length = resolver.answer(&message, Transport::Udp).map_or(0, |answer| answer.len());
            let (begun, mut answers) = (Instant::now(), 0_u64);
            while begun.elapsed() < LONG {
                answers += (0..100).filter(|_| resolver.answer(&message, Transport::Udp).is_some()).count() as u64;
            }
            let alone = answers as f64 / begun.elapsed().as_secs_f64();
            let sockets = over_sockets(message).await;
            println!("{count:>9} {:>8} {length:>6} {alone:>12.0} {sockets:>16.0}", format!("{tag}{kind}"));
        }
    }
}

async fn over_sockets(message: Vec<u8>) -> f64 {
    let server = Running::start(known(), Config::default()).await;
    let message: Arc<[u8]> = message.into();
    let begun = Instant::now();
    let mut clients = JoinSet::new();
    for _ in 0..CLIENTS {
        let (socket, message) = (server.datagrams().await, Arc::clone(&message));
        clients.spawn(async move { asks(&socket, &message, begun + LONG).await });
    }
    let answers: u64 = clients.join_all().await.into_iter().sum();
    let rate = answers as f64 / begun.elapsed().as_secs_f64();
    server.stop().await;
    rate
}

async fn asks(socket: &UdpSocket, message: &[u8], until: Instant) -> u64 {
    let (mut answers, mut buffer) = (0, vec![0; 4_096]);
    while Instant::now() < until {
        // On loopback nothing is lost, as long as each client has one query under way.
        answers += u64::from(socket.send(message).await.is_ok() && socket.recv(&mut buffer).await.is_ok());
    }
    answers
}
