//! Bytes that no client of ours sends.

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::support::{Running, ask_and_leave, get, read};

const MEGABYTE: usize = 1024 * 1024;

/// The same bytes in every run, with no pattern to them.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[3]
    };
    (0..length).map(|_| next()).collect()
}

fn with(head: &str, body: &[u8]) -> Vec<u8> {
    [format!("{head}\r\nhost: ratings\r\nconnection: close\r\n\r\n").as_bytes(), body].concat()
}

#[tokio::test]
async fn nothing_a_client_sends_ends_the_service() {
    let ratings = Running::alone().await;
    // 0: the connection is closed without an answer, or its answer is lost to the reset.
    for (what, bytes, statuses) in [
        ("nothing", Vec::new(), [0, 0]),
        ("half a request line", b"GET /rat".to_vec(), [0, 400]),
        ("half a head", b"GET /ratings/camera HTTP/1.1\r\nhost: rat".to_vec(), [0, 400]),
        ("half a body", with("POST /ratings/camera HTTP/1.1\r\ncontent-length: 100", b"half"), [400, 400]),
        ("random bytes", noise(4096), [0, 400]),
        ("many random bytes", noise(MEGABYTE), [0, 400]),
        ("a megabyte of target", with(&format!("GET /{} HTTP/1.1", "x".repeat(MEGABYTE)), b""), [0, 431]),
        ("a megabyte of header", with(&format!("GET / HTTP/1.1\r\nx: {}", "x".repeat(MEGABYTE)), b""), [0, 431]),
        ("a thousand headers", with(&format!("GET / HTTP/1.1{}", "\r\nx: x".repeat(1000)), b""), [0, 431]),
        ("10 MB announced", with("GET /ratings/camera HTTP/1.1\r\ncontent-length: 10485760", b""), [413, 413]),
        (
            "10 MB sent",
            with("POST /ratings/camera HTTP/1.1\r\ncontent-length: 10485760", &noise(10 * MEGABYTE)),
            [0, 413],
        ),
        (
            "a chunk that is none",
            with("GET /ratings/camera HTTP/1.1\r\ntransfer-encoding: chunked", b"zz\r\n"),
            [400, 400],
        ),
        ("two lengths", with("GET /ratings/camera HTTP/1.1\r\ncontent-length: 1\r\ncontent-length: 2", b"x"), [0, 400]),
        ("another protocol", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".to_vec(), [0, 400]),
        ("bad percent signs", get("/ratings/%zz%").into_bytes(), [400, 404]),
        ("not UTF-8", get("/ratings/%ff%fe").into_bytes(), [400, 404]),
        ("a long thing", get(&format!("/ratings/{}", "x".repeat(10_000))).into_bytes(), [404, 404]),
    ] {
        let answer = ask_and_leave(ratings.address, &bytes).await;
        assert!(statuses.contains(&answer.status), "{what}: {answer:?}");
        assert_eq!(ratings.get("/ratings/camera").await.status, 200, "after {what}");
    }
}

#[tokio::test]
async fn slow_clients_do_not_slow_the_others() {
    let ratings = Running::alone().await;
    let request = get("/ratings/camera");
    let mut slow = Vec::new();
    for at in 0..100 {
        let mut stream = TcpStream::connect(ratings.address).await.unwrap();
        stream.write_all(&request.as_bytes()[..at % request.len()]).await.unwrap();
        slow.push(stream);
    }
    assert_eq!(ratings.get("/ratings/camera").await.status, 200);

    let mut last = slow.swap_remove(20);
    last.write_all(&request.as_bytes()[20..]).await.unwrap();
    assert_eq!(read(last).await.status, 200, "slow is not wrong");
}
