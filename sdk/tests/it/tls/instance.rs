//! An instance that speaks TLS, on a real socket.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use http::Response;
use http_body_util::Full;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use mainstay::Address;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::server::TlsStream;

use crate::common::RATING;

/// How an instance closes its connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Close {
    /// Says so, as TLS wants it.
    Said,
    /// As a process that dies.
    Unsaid,
}

pub(crate) struct Instance {
    socket: SocketAddr,
    counts: Arc<Counts>,
    close: watch::Sender<Option<Close>>,
    closed: mpsc::UnboundedReceiver<()>,
    _server: JoinSet<()>,
}

#[derive(Default)]
struct Counts {
    handshakes: AtomicUsize,
    requests: AtomicUsize,
}

impl Instance {
    pub(crate) async fn start(config: ServerConfig) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let socket = listener.local_addr().unwrap();
        let (close, counts) = (watch::Sender::new(None), Arc::new(Counts::default()));
        let (closes, closed) = mpsc::unbounded_channel();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let mut server = JoinSet::new();
        let (counted, closing) = (Arc::clone(&counts), close.clone());
        server.spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                let (socket, _) = listener.accept().await.unwrap();
                let (acceptor, counts, closes) = (acceptor.clone(), Arc::clone(&counted), closes.clone());
                let close = closing.subscribe();
                connections.spawn(async move {
                    if let Ok(socket) = acceptor.accept(socket).await {
                        counts.handshakes.fetch_add(1, Ordering::Relaxed);
                        match socket.get_ref().1.alpn_protocol() {
                            Some(b"h2") => serve_http2(socket, &counts).await,
                            _ => serve(socket, &counts, close).await,
                        }
                        let _ = closes.send(());
                    }
                });
            }
        });
        Self { socket, counts, close, closed, _server: server }
    }

    /// Where it is, by this host.
    pub(crate) fn address(&self, host: &str) -> Address {
        format!("https://{host}:{}", self.socket.port()).parse().unwrap()
    }

    pub(crate) fn handshakes(&self) -> usize {
        self.counts.handshakes.load(Ordering::Relaxed)
    }

    pub(crate) fn requests(&self) -> usize {
        self.counts.requests.load(Ordering::Relaxed)
    }

    /// Closes the one connection that is open. When this returns, the other side has been told by the kernel.
    pub(crate) async fn close(&mut self, how: Close) {
        self.close.send_replace(Some(how));
        self.closed.recv().await.unwrap();
        self.close.send_replace(None);
        // What this waits for comes after what the kernel had to tell before.
        drop(TcpStream::connect(self.socket).await.unwrap());
    }
}

fn answer(counts: &Counts) -> Ready<Result<Response<Full<Bytes>>, Infallible>> {
    counts.requests.fetch_add(1, Ordering::Relaxed);
    ready(Ok(Response::new(Full::new(Bytes::from(RATING)))))
}

async fn serve_http2(socket: TlsStream<TcpStream>, counts: &Counts) {
    let builder = http2::Builder::new(TokioExecutor::new());
    let _ = builder.serve_connection(TokioIo::new(socket), service_fn(|_| answer(counts))).await;
}

async fn serve(socket: TlsStream<TcpStream>, counts: &Counts, mut close: watch::Receiver<Option<Close>>) {
    let connection = http1::Builder::new().serve_connection(TokioIo::new(socket), service_fn(|_| answer(counts)));
    let mut connection = std::pin::pin!(connection);
    tokio::select! {
        _ = connection.as_mut() => return,
        how = close.wait_for(Option::is_some) => if *how.unwrap() == Some(Close::Unsaid) { return },
    }
    connection.as_mut().graceful_shutdown();
    let _ = connection.await;
}
