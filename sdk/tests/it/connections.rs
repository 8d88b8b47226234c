//! What becomes of connections that nobody uses: on real sockets.

use std::sync::Arc;
use std::time::Duration;

use mainstay::contracts::ratings::Ratings;
use mainstay::testing::assert_settled;
use mainstay::{BreakerState, Client, ErrorKind};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::common::{Order, Orders, RATING, camera, view};

/// More than anything here takes; only a defect makes a test wait for it.
const LONG: Duration = Duration::from_secs(20);

/// Reads one request, and answers it. Was there one?
async fn answer(socket: &mut TcpStream) -> bool {
    let mut read = Vec::new();
    // None of these has a `}` but at its end, and a call without a body ends with its head.
    while !read.ends_with(b"}") && !read.ends_with(b"\r\n\r\n") {
        if socket.read_buf(&mut read).await.unwrap_or(0) == 0 {
            return false;
        }
        if read.starts_with(b"POST") && read.ends_with(b"\r\n\r\n") {
            socket.read_buf(&mut read).await.unwrap();
        }
    }
    let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{RATING}", RATING.len());
    socket.write_all(head.as_bytes()).await.is_ok()
}

#[tokio::test]
async fn a_connection_that_closed_while_idle_is_replaced_without_an_error() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let client = Client::<Orders>::builder().fixed([address.into()]).build().unwrap();
    // Not to be repeated once sent: it is answered only if it is seen that nothing was.
    let order = || client.call(Order { thing: "camera".to_owned() });
    for _ in 0..3 {
        let served = async {
            let (mut socket, _) = listener.accept().await.unwrap();
            assert!(answer(&mut socket).await);
            socket
        };
        let (answered, socket) = timeout(LONG, async { tokio::join!(order(), served) }).await.unwrap();
        assert!(answered.unwrap().is_live());
        drop(socket);
        // What this waits for comes after what the kernel had to tell before.
        drop(TcpStream::connect(address).await.unwrap());
        drop(listener.accept().await.unwrap());
    }
    assert_settled(&client).await;
}

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

/// The client's own tasks are gone with the runtime it was built in: breakers are not retested any more. But a call
/// is answered, or says why not.
#[test]
fn a_call_outlives_the_runtime_in_which_its_client_was_built() {
    let server = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let listener = server.block_on(TcpListener::bind(("127.0.0.1", 0))).unwrap();
    let address = listener.local_addr().unwrap();
    server.spawn(async move {
        let mut sockets = JoinSet::new();
        loop {
            let (mut socket, _) = listener.accept().await.unwrap();
            sockets.spawn(async move { while answer(&mut socket).await {} });
        }
    });
    let before = runtime();
    let client = before.block_on(async {
        let client = Client::<Ratings>::builder().fixed([address.into()]).build().unwrap();
        assert!(camera(&client).await.unwrap().is_live());
        client
    });
    drop(before);
    for _ in 0..2 {
        runtime().block_on(async {
            assert!(timeout(LONG, camera(&client)).await.expect("no call hangs").unwrap().is_live());
            assert_settled(&client).await;
        });
    }
}

#[test]
fn without_its_runtime_a_client_still_says_why_there_is_no_answer() {
    let before = runtime();
    let client = before.block_on(async {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        Client::<Ratings>::builder().fixed([listener.local_addr().unwrap().into()]).build().unwrap()
    });
    drop(before);
    runtime().block_on(async {
        for kind in [ErrorKind::Refused, ErrorKind::AllOpen, ErrorKind::AllOpen] {
            let error = timeout(LONG, camera(&client)).await.expect("no call hangs").unwrap_err();
            assert_eq!(error.kind(), kind);
        }
        assert_settled(&client).await;
    });
}

/// What a caller leaves behind goes on where its connection is woken. That this runtime ends is not the instance's
/// fault.
#[test]
fn a_call_that_ends_with_its_runtime_is_no_failure() {
    let own = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let asked = Arc::new(Notify::new());
    let (client, asks) = own.block_on(async {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let client = Client::<Ratings>::builder().fixed([listener.local_addr().unwrap().into()]).build().unwrap();
        let asks = Arc::clone(&asked);
        // Reads, and never answers.
        let asks = tokio::spawn(async move {
            let (mut socket, _) = listener.accept().await.unwrap();
            socket.readable().await.unwrap();
            asks.notify_one();
            while socket.read(&mut [0; 1024]).await.is_ok_and(|read| read > 0) {}
        });
        (client, asks)
    });
    let other = runtime();
    other.block_on(async {
        tokio::select! {
            answered = camera(&client) => panic!("{answered:?}"),
            asked = timeout(LONG, asked.notified()) => asked.expect("it is asked"),
        }
    });
    drop(other);
    own.block_on(async {
        timeout(LONG, asks).await.expect("its connection is closed").unwrap();
        assert_settled(&client).await;
    });
    let permits = view(&client, 1).permits;
    assert_eq!((permits.issued, permits.cancelled), (1, 1));
    assert_eq!(view(&client, 1).breaker.state, BreakerState::Closed);
}
