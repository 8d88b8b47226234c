//! What one client can take from the others.

use std::time::Duration;

use hickory_proto::rr::RecordType::{A, SRV};
use mainstay_registry::dns::{Config, Limits};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::{Instant, timeout};

use crate::server::{Known, Running, SOON, ask, query, receive, send};

const ONE: &str = "one.service.consul.";

async fn start(limits: Limits) -> Running {
    let known = Known::default().and("one", 1).and("many", 2_000);
    Running::start(known, Config { limits, ..Config::default() }).await
}

async fn answered(stream: &mut TcpStream, id: u16) {
    send(stream, &query(id, ONE, A)).await;
    assert_eq!(receive(stream).await.map(|answer| answer.id), Some(id));
}

#[tokio::test]
async fn a_connection_too_many_closes_the_one_that_waits_longest() {
    let server = start(Limits { connections: 3, ..Limits::default() }).await;
    let mut streams = Vec::new();
    for id in 0..3 {
        let mut stream = server.connect().await;
        answered(&mut stream, id).await;
        streams.push(stream);
    }
    // The first one is heard again, so that the second has waited longest. Half a query is waiting, too.
    answered(&mut streams[0], 3).await;
    streams[1].write_all(&[0, 40, 1, 2, 3]).await.unwrap();
    let mut late = server.connect().await;
    answered(&mut late, 4).await;
    assert!(receive(&mut streams[1]).await.is_none());
    for (id, place) in [(5, 0), (6, 2)] {
        answered(&mut streams[place], id).await;
    }
    answered(&mut late, 7).await;
    server.stop().await;
}

#[tokio::test]
async fn who_says_nothing_or_takes_nothing_is_closed() {
    let server = start(Limits { exchange_time: Duration::from_millis(200), ..Limits::default() }).await;
    let begun = Instant::now();
    let (mut idle, mut half) = (server.connect().await, server.connect().await);
    half.write_all(&[0, 40, 1, 2, 3]).await.unwrap();
    let small = TcpSocket::new_v4().unwrap();
    small.set_recv_buffer_size(4_096).unwrap();
    let mut deaf = small.connect(server.address).await.unwrap();
    // Answers of 64 KiB, which nobody reads.
    let deaf = tokio::spawn(async move {
        let message = query(1, "many.service.consul.", SRV);
        let message = [&[0, message.len() as u8], message.as_slice()].concat();
        while timeout(SOON, deaf.write_all(&message)).await.expect("it goes or breaks off").is_ok() {}
    });
    // Meanwhile others are answered.
    let mut other = server.connect().await;
    answered(&mut other, 2).await;
    assert_eq!(ask(&server.datagrams().await, &query(3, ONE, A)).await.id, 3);
    assert!(receive(&mut idle).await.is_none() && receive(&mut half).await.is_none());
    timeout(SOON, deaf).await.expect("it breaks off").unwrap();
    assert!(begun.elapsed() >= Duration::from_millis(200), "each has had its time");
    server.stop().await;
}

#[tokio::test]
async fn many_connections_that_say_nothing_hold_nobody_up() {
    let server = start(Limits { connections: 16, ..Limits::default() }).await;
    let mut silent = Vec::new();
    for _ in 0..300 {
        silent.push(server.connect().await);
    }
    let mut late = server.connect().await;
    answered(&mut late, 1).await;
    for mut stream in silent.drain(..280) {
        assert!(receive(&mut stream).await.is_none());
    }
    server.stop().await;
}
