//! Serving, on real sockets.

use std::future::pending;
use std::time::Duration;

use axum::Router;
use mainstay::serve::{self, Limits};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

/// Whoever does not fit into the queue connects a second later, by TCP's own clock.
#[tokio::test]
async fn three_hundred_connections_may_wait_to_be_accepted() {
    let system = std::fs::read_to_string("/proc/sys/net/core/somaxconn").unwrap_or_default();
    if system.trim().parse().unwrap_or(0) < 1000 {
        return;
    }
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let limits = Limits { connections: 1, ..Limits::default() };
    let server = tokio::spawn(serve::run(listener, Router::new(), limits, pending()));
    let mut waiting = Vec::new();
    for number in 1..=300 {
        let connected = timeout(Duration::from_millis(900), TcpStream::connect(address)).await;
        waiting.push(connected.unwrap_or_else(|_| panic!("connection {number} does not fit")).unwrap());
    }
    server.abort();
}
