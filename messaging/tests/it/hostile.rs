//! What no client of ours sends.

use mainstay::contracts::hub::BATCH_LIMIT;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::support::{Answer, Running, ask, directory, request, within};

async fn hub() -> (tempfile::TempDir, Running) {
    let directory = directory();
    let hub = Running::alone(directory.path()).await;
    let declared = hub.post("/declare", &json!({ "topic": "t", "channel": "c", "rules": {} })).await;
    assert_eq!(declared.status, 200, "{declared:?}");
    (directory, hub)
}

fn message(id: &str, topic: &str, to: Option<&str>) -> Value {
    json!({ "id": id, "topic": topic, "to": to, "body": 1 })
}

fn receive(topic: &str, channel: &str, most: i64, wait_ms: u64) -> Value {
    json!({ "topic": topic, "channel": channel, "most": most, "wait_ms": wait_ms })
}

#[tokio::test]
async fn a_call_that_is_wrong_is_refused_with_the_reason() {
    let (_directory, hub) = hub().await;
    let declare =
        |topic: &str, channel: &str, rules: Value| json!({ "topic": topic, "channel": channel, "rules": rules });
    let settle = |receipts: usize| {
        let settlements = vec![json!({ "receipt": "x", "verdict": "ack" }); receipts];
        json!({ "topic": "t", "channel": "c", "settlements": settlements })
    };
    let many = |count: usize| json!({ "messages": vec![message("1", "t", None); count] });
    for (path, body, status, why) in [
        ("/receive", receive("unknown", "c", 1, 0), 404, "unknown/c"),
        ("/receive", receive("t", "unknown", 1, 0), 404, "t/unknown"),
        ("/receive", receive("t", "c", 0, 0), 400, "most is 1 to 1024, not 0"),
        ("/receive", receive("t", "c", 1025, 0), 400, "not 1025"),
        ("/receive", receive("t", "c", -1, 0), 400, "-1"),
        ("/receive", receive("t", "c", 1, 5001), 400, "wait_ms is at most 5000, not 5001"),
        ("/receive", receive("t", "c", 1, u64::MAX), 400, "wait_ms"),
        ("/receive", receive("a/b", "c", 1, 0), 400, "a topic has letters, digits, - and _, not \"a/b\""),
        ("/receive", receive("t", "../c", 1, 0), 400, "a channel has letters"),
        ("/receive", receive("", "c", 1, 0), 400, "the topic is empty"),
        ("/receive", json!({ "topic": "t", "channel": "c" }), 400, "missing field `most`"),
        ("/receive", json!([]), 400, "invalid length"),
        ("/declare", declare("a/b", "c", json!({})), 400, "a topic has letters"),
        ("/declare", declare("t", "ü", json!({})), 400, "printable"),
        ("/declare", declare("t", &"x".repeat(129), json!({})), 400, "more than 128"),
        ("/declare", declare("t", "c", json!({ "visibility_ms": 0 })), 400, "visibility"),
        ("/declare", declare("t", "c", json!({ "tries": -1 })), 400, "-1"),
        ("/declare", declare("t", "c", json!({ "visibilty_ms": 1 })), 400, "unknown field `visibilty_ms`"),
        ("/declare", declare("t", "c", json!({ "kept": false })), 400, "is kept"),
        ("/settle", settle(BATCH_LIMIT + 1), 400, "at most 1024 settlements, not 1025"),
        (
            "/settle",
            json!({ "topic": "t", "channel": "x", "settlements": [{ "receipt": "x", "verdict": "ack" }] }),
            404,
            "t/x",
        ),
        (
            "/settle",
            json!({ "topic": "t", "channel": "c", "settlements": [{ "receipt": "x", "verdict": "eat" }] }),
            400,
            "eat",
        ),
        ("/publish", many(BATCH_LIMIT + 1), 400, "at most 1024 messages, not 1025"),
        ("/publish", json!({ "messages": 1 }), 400, "invalid type"),
        ("/publish", json!({ "messages": [{ "id": "1", "topic": "t" }] }), 400, "missing field `body`"),
        ("/publish", json!("text"), 400, "invalid type"),
    ] {
        let answer = hub.post(path, &body).await;
        let body: String = body.to_string().chars().take(200).collect();
        assert_eq!(answer.status, status, "{path} {body}: {answer:?}");
        assert!(answer.reason().contains(why), "{path} {body}: {answer:?}");
    }
    assert_eq!(hub.get("/health").await.status, 200);
}

#[tokio::test]
async fn a_message_that_is_wrong_is_refused_and_those_beside_it_are_taken() {
    let (_directory, hub) = hub().await;
    let long = json!({ "id": "5", "topic": "t", "body": "x".repeat(1024 * 1024) });
    let messages = json!([
        message("1", "t", None),
        message("2", "unknown", None),
        message("3", "t", Some("gone")),
        message("", "t", None),
        message("4", "a/b", None),
        long,
        message("1", "t", None),
        message("6", "t", Some("c")),
    ]);
    let answer = hub.post("/publish", &json!({ "messages": messages })).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let answers = answer.body.as_array().unwrap();
    for (at, (kind, why)) in [
        ("taken", ""),
        ("unknown", "there is no topic unknown"),
        ("unknown", "there is no channel gone of topic t"),
        ("bad", "the id is empty"),
        ("bad", "a topic has letters"),
        ("bad", "is longer than 1048576"),
        ("twice", ""),
        ("taken", ""),
    ]
    .into_iter()
    .enumerate()
    {
        let said = &answers[at];
        let fits = said == kind || said[kind].as_str().is_some_and(|said| said.contains(why));
        assert!(fits, "{at}: {said} is not {kind} {why}");
    }
    let received = hub.post("/receive", &receive("t", "c", 10, 0)).await;
    assert_eq!(received.body.as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn a_receipt_from_elsewhere_settles_nothing() {
    let (_directory, hub) = hub().await;
    hub.post("/declare", &json!({ "topic": "t", "channel": "other", "rules": {} })).await;
    hub.post("/publish", &json!({ "messages": [message("1", "t", None)] })).await;
    let received = hub.post("/receive", &receive("t", "c", 1, 0)).await;
    let receipt = received.body[0]["receipt"].as_str().unwrap().to_owned();
    for foreign in ["x", "", "1-2-3", "0-1-2-3", "-1", "99999999999999999999999", &format!("{receipt}0"), "ü"] {
        let settlements = json!([{ "receipt": foreign, "verdict": "ack" }]);
        let answer = hub.post("/settle", &json!({ "topic": "t", "channel": "c", "settlements": settlements })).await;
        assert_eq!(answer.status, 200, "{foreign}: {answer:?}");
    }
    // The receipt of one channel is none of another.
    let settlements = json!([{ "receipt": receipt, "verdict": "ack" }]);
    hub.post("/settle", &json!({ "topic": "t", "channel": "other", "settlements": settlements })).await;
    let topics = hub.get("/topics").await.body;
    let waiting: Vec<_> = (0..2).map(|at| topics[0]["channels"][at]["waiting"].as_u64().unwrap()).collect();
    assert_eq!(waiting, [1, 1], "{topics}");
    let answer = hub.post("/settle", &json!({ "topic": "t", "channel": "c", "settlements": settlements })).await;
    assert_eq!(answer.body, json!([true]));
}

#[tokio::test]
async fn nothing_that_is_sent_ends_the_hub() {
    let (_directory, hub) = hub().await;
    let big = vec![b' '; 10 * 1024 * 1024];
    for (what, bytes, statuses) in [
        ("10 MB", request("POST", "/publish", &big), [413, 413]),
        ("10 MB to nowhere", request("POST", "/nowhere", &big), [404, 413]),
        ("no body", request("POST", "/publish", b""), [400, 400]),
        ("half a JSON", request("POST", "/publish", b"{\"messages\":[{\"id\":"), [400, 400]),
        ("not UTF-8", request("POST", "/publish", b"\xff\xfe\x00"), [400, 400]),
        ("deep JSON", request("POST", "/publish", "[".repeat(100_000).as_bytes()), [400, 400]),
        (
            "a number of many digits",
            request("POST", "/receive", format!("{{\"most\":{}}}", "9".repeat(5000)).as_bytes()),
            [400, 400],
        ),
        ("a path that is not there", request("GET", "/nowhere", b""), [404, 404]),
        ("a topic in the path", request("POST", "/publish/t", b"{}"), [404, 404]),
        ("another method", request("GET", "/publish", b""), [405, 405]),
        ("another method of a list", request("DELETE", "/topics", b""), [405, 405]),
        ("another protocol", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".repeat(50), [0, 400]),
        (
            "a head that does not end",
            [b"GET / HTTP/1.1\r\n".as_slice(), &b"x: y\r\n".repeat(10_000)].concat(),
            [0, 431],
        ),
    ] {
        let answer = ask(hub.address, &bytes).await;
        assert!(statuses.contains(&answer.status), "{what}: {answer:?}");
        assert!(
            answer.status == 0 || answer.status == 431 || answer.status == 400 || !answer.reason().is_empty(),
            "{what}: {answer:?}"
        );
        assert_eq!(hub.get("/health").await.status, 200, "after {what}");
    }
}

/// The same in every run.
fn noise(seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[3]
    };
    let length = usize::from(next()) * 16 + 1;
    (0..length).map(|_| next()).collect()
}

#[tokio::test]
async fn random_bytes_are_answered_or_cut_off() {
    let (_directory, hub) = hub().await;
    for seed in 0..300 {
        let noise = noise(seed);
        // Every third is noise from the first byte on; others get as far as the body, or as a call's own numbers.
        let bytes = match seed % 3 {
            0 => noise,
            1 => request("POST", ["/publish", "/receive", "/settle", "/declare"][seed as usize % 4], &noise),
            _ => {
                let digits: String = noise.iter().take(30).map(|byte| char::from(b'0' + byte % 10)).collect();
                let body = format!("{{\"topic\":\"t\",\"channel\":\"c\",\"most\":{digits},\"wait_ms\":{digits}}}");
                request("POST", "/receive", body.as_bytes())
            }
        };
        let answer = ask_and_leave(&hub, &bytes).await;
        assert!(matches!(answer.status, 0 | 400..=499), "seed {seed}: {answer:?}");
    }
    assert_eq!(hub.get("/health").await.status, 200);
    assert_eq!(hub.get("/topics").await.body[0]["topic"], json!("t"));
}

async fn ask_and_leave(hub: &Running, bytes: &[u8]) -> Answer {
    let mut stream = TcpStream::connect(hub.address).await.unwrap();
    let _ = stream.write_all(bytes).await;
    let _ = stream.shutdown().await;
    let mut answer = Vec::new();
    let _ = within(stream.read_to_end(&mut answer)).await;
    crate::support::read(&answer)
}

#[tokio::test]
async fn more_who_wait_than_may_are_refused_and_all_others_are_served() {
    let directory = directory();
    let mut config = mainstay_messaging::hub::Config::new(directory.path(), "127.0.0.1:1".parse().unwrap());
    config.waiting = 1;
    let hub = Running::start(config, crate::support::free_port().await).await;
    hub.post("/declare", &json!({ "topic": "t", "channel": "c", "rules": {} })).await;
    let waits = receive("t", "c", 1, 5000);
    let first = async {
        loop {
            match hub.post("/receive", &waits).await {
                // One of the others was there a moment before.
                crowded if crowded.status == 429 => {}
                answer => break answer,
            }
        }
    };
    let others = async {
        // The first has its place as soon as a second has none.
        while hub.post("/receive", &receive("t", "c", 1, 1)).await.status != 429 {}
        assert_eq!(hub.post("/receive", &receive("t", "c", 1, 0)).await.status, 200, "without waiting");
        hub.post("/publish", &json!({ "messages": [message("1", "t", None)] })).await
    };
    let (first, published) = within(futures_util::future::join(first, others)).await;
    assert_eq!((published.body, first.body.as_array().unwrap().len()), (json!(["taken"]), 1));
}
