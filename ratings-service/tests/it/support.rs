//! An instance that runs, and a client that can say anything to it.

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU16, Ordering};

use mainstay::Address;
use ratings_service::Config;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// One instance in this process; it ends with the test.
pub(crate) struct Running {
    pub(crate) address: SocketAddr,
    stop: oneshot::Sender<()>,
    task: JoinHandle<io::Result<()>>,
}

impl Running {
    /// Without a registry: nothing listens on port 1.
    pub(crate) async fn alone() -> Self {
        Self::registered(1, "127.0.0.1:1".parse().unwrap()).await
    }

    pub(crate) async fn registered(number: u32, registry: Address) -> Self {
        let listener = free_port().await;
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let shutdown = async { stopped.await.unwrap_or_default() };
        let task = tokio::spawn(ratings_service::run(Config { number, registry }, listener, shutdown));
        Self { address, stop, task }
    }

    pub(crate) async fn stop(self) {
        self.stop.send(()).unwrap();
        self.task.await.unwrap().unwrap();
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        ask(self.address, get(path).as_bytes()).await
    }
}

pub(crate) async fn free_port() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").await.unwrap()
}

/// A port for a program to take. It is not one that the system would hand to another test meanwhile.
pub(crate) async fn port_for_program() -> u16 {
    let first = 20_000 + (std::process::id() % 10_000) as u16;
    for port in first..first + 1000 {
        if TcpListener::bind(("127.0.0.1", port)).await.is_ok() {
            return port;
        }
    }
    panic!("no port from {first} on is free");
}

/// Several ports for programs to take, apart from the one above and from those of other tests.
pub(crate) async fn ports_for_programs(count: usize) -> Vec<u16> {
    static TESTS: AtomicU16 = AtomicU16::new(0);
    let test = TESTS.fetch_add(1, Ordering::Relaxed);
    let first = 31_000 + (std::process::id() % 1_000) as u16 + 100 * test;
    let mut ports = Vec::with_capacity(count);
    for port in first..first + 100 {
        if ports.len() < count && TcpListener::bind(("127.0.0.1", port)).await.is_ok() {
            ports.push(port);
        }
    }
    assert_eq!(ports.len(), count, "not enough ports from {first} on are free");
    ports
}

pub(crate) fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nhost: ratings\r\nconnection: close\r\n\r\n")
}

/// What came back on a connection before it was closed; status 0 when that was no answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: Value,
}

/// Sends a request that asks to close the connection, and reads to the end.
pub(crate) async fn ask(address: SocketAddr, request: &[u8]) -> Answer {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request).await.unwrap();
    read(stream).await
}

/// Sends these bytes, says that nothing more will come, and reads to the end.
pub(crate) async fn ask_and_leave(address: SocketAddr, request: &[u8]) -> Answer {
    let mut stream = TcpStream::connect(address).await.unwrap();
    // A server that has heard enough may close before all is sent, and what it said is then lost to the reset.
    let _ = stream.write_all(request).await;
    let _ = stream.shutdown().await;
    read(stream).await
}

pub(crate) async fn read(mut stream: TcpStream) -> Answer {
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    let text = String::from_utf8_lossy(&answer);
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or_default();
    let status = head.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.get(..3)?.parse().ok()).unwrap_or_default();
    Answer { status, head: head.to_owned(), body: serde_json::from_str(body).unwrap_or_default() }
}
