//! That the job is the same for all.

use std::net::Ipv4Addr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::*;
use crate::end_to_end::instances::ANSWER;

const CALLS: u32 = 3;

/// Answers as the instances do, and keeps what it was asked.
async fn record(listener: TcpListener, heads: mpsc::UnboundedSender<String>) {
    while let Ok((mut stream, _)) = listener.accept().await {
        let heads = heads.clone();
        tokio::spawn(async move {
            let mut head = Vec::new();
            while let Ok(byte) = stream.read_u8().await {
                head.push(byte);
                if head.ends_with(b"\r\n\r\n") {
                    heads.send(String::from_utf8(std::mem::take(&mut head)).unwrap()).unwrap();
                    stream.write_all(ANSWER.as_bytes()).await.unwrap();
                }
            }
        });
    }
}

/// The request line, and the headers in order and in lower case.
fn parts(head: &str) -> (String, Vec<String>) {
    let mut lines = head.trim_end().lines();
    let request = lines.next().unwrap().to_owned();
    let headers = lines.map(|line| line.split_once(':').unwrap());
    let mut headers: Vec<_> =
        headers.map(|(name, value)| format!("{}: {}", name.to_lowercase(), value.trim())).collect();
    headers.sort_unstable();
    (request, headers)
}

#[tokio::test]
async fn everybody_sends_the_same_request() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let (heads, mut recorded) = mpsc::unbounded_channel();
    tokio::spawn(record(listener, heads));
    let headers = vec!["accept: application/json".into(), format!("host: {address}"), "user-agent: mainstay".into()];
    let expected = ("GET /ratings/camera HTTP/1.1".to_owned(), headers);
    for contestant in Contestant::value_variants() {
        let calls = async { contestant.team(&[address], 1).await?.calls(CALLS).await };
        timeout(Duration::from_secs(5), calls).await.unwrap().unwrap();
        for _ in 0..CALLS {
            assert_eq!(parts(&recorded.try_recv().unwrap()), expected, "{}", contestant.name());
        }
        assert!(recorded.try_recv().is_err(), "{} asked more than once", contestant.name());
    }
}
