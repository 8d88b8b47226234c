//! An instance that speaks HTTP/2 only, on a real socket.

use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use mainstay::Address;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;

use crate::common::RATING;

/// More than a client may have under way.
const STREAMS: u32 = 1000;

pub(crate) struct Instance {
    pub(crate) socket: SocketAddr,
    shared: Arc<Shared>,
    server: Option<JoinSet<()>>,
}

struct Shared {
    connections: AtomicUsize,
    requests: AtomicUsize,
    /// After so many requests, a connection is told to go away.
    requests_per_connection: usize,
    /// So many requests are refused before one is looked at.
    refusals: AtomicUsize,
    /// So many streams a connection may have.
    streams: u32,
    under_way: watch::Sender<usize>,
    most_under_way: AtomicUsize,
    gate: watch::Sender<bool>,
}

impl Instance {
    /// Answers at once.
    pub(crate) async fn start() -> Self {
        Self::with(usize::MAX, 0, STREAMS).await
    }

    /// Tells each connection to go away after so many requests.
    pub(crate) async fn restless(requests: usize) -> Self {
        Self::with(requests, 0, STREAMS).await
    }

    /// Refuses so many requests without a look at them.
    pub(crate) async fn refusing(requests: usize) -> Self {
        Self::with(usize::MAX, requests, STREAMS).await
    }

    /// Takes one request at a time.
    pub(crate) async fn narrow() -> Self {
        Self::with(usize::MAX, 0, 1).await
    }

    async fn with(requests_per_connection: usize, refusals: usize, streams: u32) -> Self {
        let shared = Shared {
            connections: AtomicUsize::new(0),
            requests: AtomicUsize::new(0),
            requests_per_connection,
            refusals: AtomicUsize::new(refusals),
            streams,
            under_way: watch::Sender::new(0),
            most_under_way: AtomicUsize::new(0),
            gate: watch::Sender::new(true),
        };
        let socket = SocketAddr::from(([127, 0, 0, 1], 0));
        let mut instance = Self { socket, shared: Arc::new(shared), server: None };
        instance.resume().await;
        instance
    }

    /// Listens where it did, after [`kill`](Self::kill).
    pub(crate) async fn resume(&mut self) {
        let listener = TcpListener::bind(self.socket).await.unwrap();
        self.socket = listener.local_addr().unwrap();
        let shared = Arc::clone(&self.shared);
        self.server.insert(JoinSet::new()).spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                let (socket, _) = listener.accept().await.unwrap();
                shared.connections.fetch_add(1, Ordering::Relaxed);
                connections.spawn(serve(socket, Arc::clone(&shared)));
            }
        });
    }

    /// As `kill -9`: connections break, new ones are refused.
    pub(crate) async fn kill(&mut self) {
        if let Some(mut server) = self.server.take() {
            server.shutdown().await;
        }
    }

    pub(crate) fn address(&self) -> Address {
        self.socket.into()
    }

    /// Holds back every answer.
    pub(crate) fn hold(&self) {
        self.shared.gate.send_replace(false);
    }

    /// Gives the answers that were held back.
    pub(crate) fn release(&self) {
        self.shared.gate.send_replace(true);
    }

    /// Waits until so many requests are under way.
    pub(crate) async fn until_under_way(&self, requests: usize) {
        self.shared.under_way.subscribe().wait_for(|under_way| *under_way == requests).await.unwrap();
    }

    /// How many connections there were.
    pub(crate) fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::Relaxed)
    }

    pub(crate) fn requests(&self) -> usize {
        self.shared.requests.load(Ordering::Relaxed)
    }

    pub(crate) fn most_under_way(&self) -> usize {
        self.shared.most_under_way.load(Ordering::Relaxed)
    }
}

/// Serves one connection; all of it ends when this is dropped.
async fn serve(socket: TcpStream, shared: Arc<Shared>) {
    socket.set_nodelay(true).unwrap();
    let last = Arc::new(Notify::new());
    let asked = AtomicUsize::new(0);
    let answer = |_: Request<Incoming>| {
        if asked.fetch_add(1, Ordering::Relaxed) + 1 == shared.requests_per_connection {
            last.notify_one();
        }
        let under_way = UnderWay::of(&shared);
        async move {
            let under_way = under_way.ok_or(h2::Error::from(h2::Reason::REFUSED_STREAM))?;
            let mut gate = under_way.0.gate.subscribe();
            gate.wait_for(|is_open| *is_open).await.unwrap();
            Ok::<_, h2::Error>(Response::new(Full::new(Bytes::from(RATING))))
        }
    };
    let mut builder = http2::Builder::new(TokioExecutor::new());
    builder.max_concurrent_streams(shared.streams);
    let mut connection = pin!(builder.serve_connection(TokioIo::new(socket), service_fn(answer)));
    tokio::select! {
        _ = connection.as_mut() => return,
        () = last.notified() => connection.as_mut().graceful_shutdown(),
    }
    let _ = connection.await;
}

/// A request that has arrived and has no answer yet.
struct UnderWay(Arc<Shared>);

impl UnderWay {
    /// `None` if it is to be refused.
    fn of(shared: &Arc<Shared>) -> Option<Self> {
        let one_less = |refusals: usize| refusals.checked_sub(1);
        if shared.refusals.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_less).is_ok() {
            return None;
        }
        shared.requests.fetch_add(1, Ordering::Relaxed);
        shared.under_way.send_modify(|under_way| {
            *under_way += 1;
            shared.most_under_way.fetch_max(*under_way, Ordering::Relaxed);
        });
        Some(Self(Arc::clone(shared)))
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.under_way.send_modify(|under_way| *under_way -= 1);
    }
}
