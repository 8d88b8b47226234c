//! Bidders may be third parties: bytes that no bidder of ours sends.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::task::JoinSet;

use crate::support::{House, free_port};

const MEGABYTE: usize = 1024 * 1024;

/// What comes after the first bytes.
#[derive(Clone)]
enum Then {
    Close,
    Silence,
    /// The same again and again, for as long as anybody listens.
    Again(&'static [u8]),
}

/// Answers every request with these bytes.
async fn stranger(says: Vec<u8>, then: Then) -> (SocketAddr, JoinSet<()>) {
    let listener = free_port().await;
    let address = listener.local_addr().unwrap();
    let mut task = JoinSet::new();
    task.spawn(async move {
        let mut connections = JoinSet::new();
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let (says, then) = (says.clone(), then.clone());
            connections.spawn(async move {
                // The request is one small packet; what matters is that it is read before the connection closes.
                let _ = stream.read(&mut [0; 4096]).await;
                let mut heard = stream.write_all(&says).await;
                while let (Ok(()), Then::Again(more)) = (&heard, &then) {
                    heard = stream.write_all(more).await;
                }
                if let Then::Silence = then {
                    let _ = stream.read_to_end(&mut Vec::new()).await;
                }
            });
        }
    });
    (address, task)
}

fn ok(body: &[u8]) -> Vec<u8> {
    status("200 OK", body)
}

fn status(status: &str, body: &[u8]) -> Vec<u8> {
    let head = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
    [head.as_bytes(), body].concat()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_a_bidder_sends_harms_an_auction() {
    let (house, _usual) = House::usual().await;
    let long_bid = format!(r#"{{"Bid":{}}}"#, "9".repeat(100_000));
    let many_fields = format!(r#"{{"Bid":999999{}}}"#, r#","x":[1,2,3]"#.repeat(200_000));
    let deep = [br#"{"Bid":"#.to_vec(), b"[".repeat(100_000)].concat();
    let table = [
        ("10 MB of body", ok(&vec![b' '; 10 * MEGABYTE]), Then::Close, "rejected"),
        ("a valid bid in 2 MB", ok(many_fields.as_bytes()), Then::Close, "rejected"),
        ("a body without end", b"HTTP/1.1 200 OK\r\n\r\n".to_vec(), Then::Again(&[b' '; 8192]), "rejected"),
        ("a header without end", b"HTTP/1.1 200 OK\r\n".to_vec(), Then::Again(b"x: y\r\n"), "failed"),
        ("a line without end", Vec::new(), Then::Again(&[b'x'; 8192]), "failed"),
        ("deep nesting", ok(&deep), Then::Close, "rejected"),
        ("a number of 100000 digits", ok(long_bid.as_bytes()), Then::Close, "rejected"),
        ("not JSON", ok(b"470000 or so"), Then::Close, "rejected"),
        ("not UTF-8", ok(b"{\"\xff\":\"Bidder 1\",\"Bid\":1}"), Then::Close, "rejected"),
        ("a page", ok(b"<html><body>470000</body></html>"), Then::Close, "rejected"),
        (
            "half an answer",
            b"HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\n{\"Bid\":9".to_vec(),
            Then::Silence,
            "timed-out",
        ),
        (
            "half an answer, and away",
            b"HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\n{\"Bid\":9".to_vec(),
            Then::Close,
            "failed",
        ),
        ("silence", Vec::new(), Then::Silence, "timed-out"),
        ("nothing", Vec::new(), Then::Close, "failed"),
        ("another protocol", b"SSH-2.0-OpenSSH_9.6\r\n".to_vec(), Then::Close, "failed"),
        ("a redirection", status("302 Found\r\nlocation: /", b""), Then::Close, "failed"),
        ("a failure with a bid in it", status("500 Oh", br#"{"Bid":999999}"#), Then::Close, "failed"),
        ("a decline with a bid in it", status("404 No", br#"{"Bid":999999}"#), Then::Close, "declined"),
        ("no content", b"HTTP/1.1 204 No Content\r\n\r\n".to_vec(), Then::Close, "declined"),
        ("a long decline", status("404 No", &reason(100_000)), Then::Close, "rejected"),
    ];
    let mut strangers = Vec::new();
    for (number, (_, says, then, _)) in (11..).zip(table.clone()) {
        let (address, task) = stranger(says, then).await;
        house.register(number, address).await;
        strangers.push(task);
    }

    let answer = house.auction("good", "?detail=true").await;
    assert_eq!((answer.status, &answer.body["Bidder Name"]), (200, &"Bidder 2".into()));
    let legs = answer.body["Legs"].as_array().unwrap();
    assert_eq!(legs.len(), 3 + table.len());
    for (leg, (what, _, _, outcome)) in legs[3..].iter().zip(&table) {
        assert_eq!(leg["Outcome"], *outcome, "{what}: {leg}");
        assert!(leg["Why"].as_str().unwrap().len() < 300, "{what}: {leg}");
    }
    house.close().await;
}

fn reason(length: usize) -> Vec<u8> {
    format!(r#"{{"reason":"{}"}}"#, "no ".repeat(length / 3)).into_bytes()
}
