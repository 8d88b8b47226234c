//! A real instance on loopback: HTTP/1.1, as little of it as a client of ratings needs.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use mainstay::Address;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{AbortHandle, JoinSet};

use super::peer::Work;

/// What is to be done for the thing that was asked for.
type Handler = dyn Fn(&str) -> Work + Send + Sync;

/// A listener and its connections, which end when it is dropped.
pub struct Instance {
    address: Address,
    asked: Arc<AtomicU64>,
    task: AbortHandle,
}

impl Instance {
    /// Starts one that does what `handler` says, and answers 200 with a rating, or 500 where that failed.
    ///
    /// # Panics
    /// When loopback has no port left, and outside of a runtime.
    pub fn start(handler: impl Fn(&str) -> Work + Send + Sync + 'static) -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("there is a free port");
        listener.set_nonblocking(true).expect("a listener can be polled");
        let listener = TcpListener::from_std(listener).expect("this is inside of a runtime");
        let address = Address::from(listener.local_addr().expect("it is bound"));
        let asked = Arc::new(AtomicU64::new(0));
        let task = tokio::spawn(serve(listener, Arc::new(handler), Arc::clone(&asked))).abort_handle();
        Self { address, asked, task }
    }

    /// Where it is.
    pub fn address(&self) -> Address {
        self.address.clone()
    }

    /// How many requests it has read, probes included.
    pub fn asked(&self) -> u64 {
        self.asked.load(Ordering::Relaxed)
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(listener: TcpListener, handler: Arc<Handler>, asked: Arc<AtomicU64>) {
    let mut connections = JoinSet::new();
    while let Ok((socket, _)) = listener.accept().await {
        connections.spawn(answer(socket, Arc::clone(&handler), Arc::clone(&asked)));
        while connections.try_join_next().is_some() {}
    }
}

/// Answers the requests on this connection until its client closes it.
async fn answer(mut socket: TcpStream, handler: Arc<Handler>, asked: Arc<AtomicU64>) -> Option<()> {
    socket.set_nodelay(true).ok()?;
    let mut request = Vec::new();
    loop {
        request.clear();
        while !request.ends_with(b"\r\n\r\n") {
            (socket.read_buf(&mut request).await.ok()? > 0).then_some(())?;
        }
        asked.fetch_add(1, Ordering::Relaxed);
        let work = handler(str::from_utf8(&request).ok()?.split_whitespace().nth(1)?.rsplit('/').next()?);
        let status = tokio::select! {
            result = work => if result.is_ok() { "200 OK" } else { "500 Internal Server Error" },
            // Nothing is sent before the answer: this is the client that leaves.
            _ = socket.read_u8() => return None,
        };
        let body = r#"{"thing":"any","rating":5.0}"#;
        let response = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n\r\n{body}", body.len());
        socket.write_all(response.as_bytes()).await.ok()?;
    }
}
