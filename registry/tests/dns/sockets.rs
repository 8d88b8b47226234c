//! Queries and answers over both sockets.

use hickory_proto::rr::RecordType::{A, SRV};
use mainstay_registry::dns::Config;
use tokio::io::AsyncWriteExt;

use crate::server::{Known, Running, ask, query, receive, send};

const RATINGS: &str = "ratings.service.consul.";

async fn start() -> Running {
    Running::start(Known::default().and("ratings", 100).and("one", 1), Config::default()).await
}

#[tokio::test]
async fn what_is_cut_over_udp_is_whole_over_tcp() {
    let server = start().await;
    let cut = ask(&server.datagrams().await, &query(1, RATINGS, SRV)).await;
    assert!(cut.truncation && (1..100).contains(&cut.answers.len()), "{cut}");
    let mut stream = server.connect().await;
    send(&mut stream, &query(2, RATINGS, SRV)).await;
    let whole = receive(&mut stream).await.unwrap();
    assert_eq!((whole.id, whole.truncation, whole.answers.len()), (2, false, 100));
    server.stop().await;
}

#[tokio::test]
async fn pipelined_queries_are_answered_in_order() {
    let server = start().await;
    let mut stream = server.connect().await;
    let mut all = Vec::new();
    for id in 0..200 {
        let message = query(id, if id % 2 == 0 { RATINGS } else { "one.service.consul." }, A);
        all.extend(u16::try_from(message.len()).unwrap().to_be_bytes());
        all.extend(message);
    }
    // In pieces that end where no message does.
    for piece in all.chunks(37) {
        stream.write_all(piece).await.unwrap();
    }
    for id in 0..200 {
        let answer = receive(&mut stream).await.unwrap();
        assert_eq!((answer.id, answer.answers.len()), (id, if id % 2 == 0 { 100 } else { 1 }));
    }
    server.stop().await;
}

#[tokio::test]
async fn what_is_no_query_costs_nobody_else_an_answer() {
    let server = start().await;
    let socket = server.datagrams().await;
    let mut answer = query(3, RATINGS, A);
    answer[2] |= 0x80;
    for wrong in [&b""[..], b"short", &answer, &[0; 4_097], &[0; 60_000]] {
        socket.send(wrong).await.unwrap();
    }
    // None of them has an answer that would be taken for this one's.
    assert_eq!(ask(&socket, &query(4, "one.service.consul.", A)).await.id, 4);
    for wrong in [&b""[..], b"short", &answer, &[0; 4_097]] {
        let mut stream = server.connect().await;
        send(&mut stream, wrong).await;
        assert!(receive(&mut stream).await.is_none(), "{} bytes", wrong.len());
    }
    let mut stream = server.connect().await;
    send(&mut stream, &query(5, "one.service.consul.", A)).await;
    assert_eq!(receive(&mut stream).await.unwrap().id, 5);
    server.stop().await;
}

#[tokio::test]
async fn it_ends_with_connections_open() {
    let server = start().await;
    let (mut idle, mut half) = (server.connect().await, server.connect().await);
    half.write_all(&[0, 40, 1, 2]).await.unwrap();
    send(&mut idle, &query(6, "one.service.consul.", A)).await;
    receive(&mut idle).await.unwrap();
    server.stop().await;
    assert!(receive(&mut idle).await.is_none() && receive(&mut half).await.is_none());
}
