//! A token is shown to the registry, to nobody else, and in no log.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use mainstay::contracts::ratings::Ratings;
use mainstay::contracts::registry::{HoldFrame, Registered};
use mainstay::testing::{Answer, Network};
use mainstay::{BuildError, Client, Registration};
use parking_lot::Mutex;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::time::{sleep, timeout};

use crate::common::{RATING, camera};
use crate::log::Log;
use crate::simulated::line;

const TOKEN: &str = "s3cr3t";
const SECOND: Duration = Duration::from_secs(1);

type Heads = Arc<Mutex<Vec<String>>>;

/// Answers every connection's one request, and keeps the heads of all.
async fn server(answer: impl Fn(&str) -> String + Send + Sync + 'static) -> (SocketAddr, Heads) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (address, heads, answer) = (listener.local_addr().unwrap(), Heads::default(), Arc::new(answer));
    let kept = Arc::clone(&heads);
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            let (kept, answer) = (Arc::clone(&kept), Arc::clone(&answer));
            tokio::spawn(async move {
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    let Ok(byte) = socket.read_u8().await else { return };
                    head.push(byte);
                }
                let head = String::from_utf8(head).unwrap();
                let body = answer(&head);
                kept.lock().push(head);
                let _ = socket.write_all(format!("HTTP/1.1 200 OK\r\n\r\n{body}").as_bytes()).await;
                // As long as its stream stands, a registry is there.
                if body.contains(r#""type":"#) {
                    sleep(60 * SECOND).await;
                }
                // Closing with something unread would take the answer back.
                let _ = socket.shutdown().await;
                let _ = socket.read_to_end(&mut Vec::new()).await;
            });
        }
    });
    (address, heads)
}

fn shows_token(head: &str) -> bool {
    head.to_lowercase().contains(&format!("authorization: bearer {TOKEN}"))
}

#[tokio::test]
async fn it_is_shown_to_the_registry_only() {
    let (instance, asked) = server(|_| RATING.to_owned()).await;
    let (registry, watched) = server(move |head| {
        if head.starts_with("GET") {
            let listed =
                format!(r#"{{"id":"a","number":1,"address":"http://{instance}","incarnation":1,"presence":"up"}}"#);
            format!(
                r#"{{"type":"snapshot","service":"ratings","epoch":1,"revision":1,"instances":[{listed}]}}{}"#,
                "\n"
            )
        } else if head.starts_with("POST") {
            line(&HoldFrame::Lease { epoch: 1, instances: 0, beat_every_ms: 5_000 })
        } else {
            line(&Registered { epoch: 1, revision: 1, number: 1, incarnation: 1, beat_every_ms: 5_000 })
        }
    })
    .await;
    let builder = Client::<Ratings>::builder().registry(registry.into()).registry_token(TOKEN);
    let registration = Registration::new::<Ratings>("a".parse().unwrap(), instance.into());
    let registration = registration.registry(registry.into()).token(TOKEN);
    for debug in [format!("{builder:?}"), format!("{registration:?}")] {
        assert!(!debug.contains(TOKEN) && debug.contains("Token(…)"), "{debug}");
    }
    let client = builder.build().unwrap();
    assert!(timeout(20 * SECOND, camera(&client)).await.unwrap().unwrap().is_live());
    let lease = registration.start();
    timeout(20 * SECOND, lease.registered()).await.unwrap();

    let (asked, watched) = (asked.lock(), watched.lock());
    assert!(!asked.is_empty() && !asked.iter().any(|head| shows_token(head)), "{asked:?}");
    assert!(watched.len() >= 3 && watched.iter().all(|head| shows_token(head)), "{watched:?}");
}

#[tokio::test(start_paused = true)]
async fn a_denial_is_said_with_its_reason_and_without_the_token() {
    for status in [401, 403] {
        let (log, network) = (Log::listen(), Network::new());
        let registry = network.instance("10.1.0.1:8500", move |_| {
            Answer::ok(r#"{"reason":"no right to see ratings"}"#).with_status(status.try_into().unwrap())
        });
        // It was away first, which is said too.
        registry.kill();
        let builder = Client::<Ratings>::builder().registry(registry.address()).registry_token(TOKEN);
        let client = builder.network(network.clone()).build().unwrap();
        let registration = Registration::new::<Ratings>("a".parse().unwrap(), "10.0.0.1:80".parse().unwrap());
        let lease = registration.registry(registry.address()).token(TOKEN).network(network).start();
        sleep(5 * SECOND).await;
        registry.resume();
        sleep(60 * SECOND).await;
        let mut warnings = log.warnings();
        warnings.sort();
        assert_eq!(warnings.len(), 3, "{warnings:?}");
        assert_eq!(
            warnings[0],
            "http://10.1.0.1:8500 does not say who is there of ratings: no right to see ratings; trying on"
        );
        let lease_line = "ratings at http://10.0.0.1:80 is not registered at http://10.1.0.1:8500: ";
        assert!(warnings[1..].iter().all(|warning| warning.starts_with(lease_line)), "{warnings:?}");
        assert!(warnings.iter().any(|warning| warning.ends_with(": no right to see ratings; trying on")));
        assert!(!warnings.concat().contains(TOKEN));
        assert!(!client.snapshot().registry.unwrap().reachable && !lease.is_registered());
    }
}

#[tokio::test(start_paused = true)]
async fn one_that_cannot_be_sent_is_refused() {
    let log = Log::listen();
    let registry = || "10.1.0.1:8500".parse().unwrap();
    let error = Client::<Ratings>::builder().registry(registry()).registry_token("a\nb").build().unwrap_err();
    assert!(matches!(error, BuildError::Token));
    let registration = Registration::new::<Ratings>("a".parse().unwrap(), "10.0.0.1:80".parse().unwrap());
    let lease = registration.registry(registry()).token("a b").start();
    let line = "ratings at http://10.0.0.1:80 is not registered: a token is made of visible characters of ASCII";
    assert_eq!(log.warnings(), [line]);
    lease.release().await;
}
