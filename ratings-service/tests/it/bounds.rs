//! What a connection may cost, with limits short enough to reach.

use std::convert::Infallible;
use std::future::pending;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::routing::{get, post};
use mainstay::serve::{Limits, run};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{Notify, oneshot};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::support::{ask, free_port, get as get_request, read};

const SOON: Duration = Duration::from_millis(50);
const NEVER: Duration = Duration::from_secs(3600);

struct Served {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

async fn served(router: Router, limits: Limits) -> Served {
    let listener = free_port().await;
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel();
    let task = tokio::spawn(run(listener, router, limits, async { stopped.await.unwrap_or_default() }));
    Served { address, stop, task }
}

fn patient() -> Limits {
    Limits { head: NEVER, body: NEVER, answer: NEVER, drain: NEVER, ..Limits::default() }
}

#[tokio::test]
async fn half_a_head_is_closed_after_its_time() {
    let served = served(Router::new(), Limits { head: SOON, ..patient() }).await;
    let mut stream = TcpStream::connect(served.address).await.unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\n").await.unwrap();
    assert_eq!(stream.read_to_end(&mut Vec::new()).await.unwrap(), 0);
}

#[tokio::test]
async fn a_body_that_does_not_come_is_answered_after_its_time() {
    let router = Router::new().route("/", post(|_: Bytes| async {}));
    let served = served(router, Limits { body: SOON, ..patient() }).await;
    let mut stream = TcpStream::connect(served.address).await.unwrap();
    stream.write_all(b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\nhalf").await.unwrap();
    let answer = read(stream).await;
    assert_eq!((answer.status, &answer.body["reason"]), (408, &"the body took longer than 50ms".into()));
}

#[tokio::test]
async fn a_handler_that_hangs_is_the_servers_fault() {
    let router = Router::new().route("/", get(|| async { pending::<()>().await }));
    let served = served(router, Limits { answer: SOON, ..patient() }).await;
    assert_eq!(ask(served.address, get_request("/").as_bytes()).await.status, 503);
}

#[tokio::test]
async fn a_body_is_limited_whether_or_not_it_says_its_length() {
    let router = Router::new().route("/", post(|body: Bytes| async move { body.len().to_string() }));
    let served = served(router, Limits { body_bytes: 8, ..patient() }).await;
    for (lengths, body, status) in [
        ("content-length: 8", "12345678", 200),
        ("content-length: 9", "123456789", 413),
        ("transfer-encoding: chunked", "8\r\n12345678\r\n0\r\n\r\n", 200),
        ("transfer-encoding: chunked", "9\r\n123456789\r\n0\r\n\r\n", 413),
    ] {
        let request = format!("POST / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{lengths}\r\n\r\n{body}");
        assert_eq!(ask(served.address, request.as_bytes()).await.status, status, "{lengths}: {body}");
    }
}

#[tokio::test]
async fn one_connection_too_many_waits_for_its_turn() {
    let served = served(Router::new().route("/", get(|| async {})), Limits { connections: 1, ..patient() }).await;
    let first = TcpStream::connect(served.address).await.unwrap();
    let mut second = tokio::spawn(async move { ask(served.address, get_request("/").as_bytes()).await });
    assert!(timeout(SOON, &mut second).await.is_err(), "the first connection still stands");
    drop(first);
    assert_eq!(second.await.unwrap().status, 200);
}

#[tokio::test]
async fn what_has_begun_is_finished_and_nothing_new_is_accepted() {
    let (entered, leave) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (inside, gate) = (entered.clone(), leave.clone());
    let handler = get(|| async move {
        inside.notify_one();
        gate.notified().await;
    });
    let served = served(Router::new().route("/", handler), patient()).await;
    let begun = tokio::spawn(async move { ask(served.address, get_request("/").as_bytes()).await });
    entered.notified().await;
    let idle = TcpStream::connect(served.address).await.unwrap();

    served.stop.send(()).unwrap();
    assert_eq!(read(idle).await.status, 0, "an idle connection is closed");
    let refused = TcpStream::connect(served.address).await.unwrap_err();
    assert_eq!(refused.kind(), std::io::ErrorKind::ConnectionRefused);

    leave.notify_one();
    assert_eq!(begun.await.unwrap().status, 200);
    served.task.await.unwrap();
}

#[tokio::test]
async fn what_does_not_end_is_dropped_after_its_time() {
    let entered = Arc::new(Notify::new());
    let inside = entered.clone();
    let handler = get(|| async move {
        inside.notify_one();
        pending::<Infallible>().await;
    });
    let served = served(Router::new().route("/", handler), Limits { drain: SOON, ..patient() }).await;
    let begun = tokio::spawn(async move { ask(served.address, get_request("/").as_bytes()).await });
    entered.notified().await;

    served.stop.send(()).unwrap();
    served.task.await.unwrap();
    assert_eq!(begun.await.unwrap().status, 0);
}
