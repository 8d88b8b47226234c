//! A connection that stands, and the tasks that drive it.

use std::error::Error as StdError;
use std::future::Future;
use std::io;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use http::header::HOST;
use http::uri::{Authority, Scheme};
use http::{HeaderMap, Request, Uri};
use hyper::body::Incoming;
use hyper::client::conn::http2::{self, SendRequest};
use hyper::rt::Executor;
use hyper_util::rt::TokioTimer;
use mainstay_contracts::Address;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::transport::connection::Payload;
use crate::transport::network::Protocol;
use crate::transport::reply::Head;
use crate::transport::socket::Socket;
use crate::transport::{Connections, Outgoing, Unmade, outgoing};

/// How often the other side is asked whether it is still there, also while there are no calls.
const PING_EVERY: Duration = Duration::from_secs(10);
/// How long it may take to say so; after that, the connection is broken.
const PING_LIMIT: Duration = Duration::from_secs(5);

#[derive(Debug)]
pub(super) struct Standing {
    sender: SendRequest<Payload>,
    address: Address,
    /// Of every request, as are its scheme and authority.
    headers: HeaderMap,
    scheme: Scheme,
    authority: Option<Authority>,
    /// How often it was looked after since it was used.
    tended: AtomicU8,
    _ends_tasks: DropGuard,
}

impl Standing {
    pub(super) async fn connect(connections: &Connections) -> Result<Self, Unmade> {
        Self::over(connections.socket(Protocol::Http2).await?, &connections.address).await
    }

    async fn over(socket: Socket, address: &Address) -> Result<Self, Unmade> {
        let stop = CancellationToken::new();
        let (tasks, ends_tasks) = (Tasks(stop.clone()), stop.drop_guard());
        let mut builder = http2::Builder::new(tasks.clone());
        builder.timer(TokioTimer::new());
        builder.keep_alive_interval(PING_EVERY).keep_alive_timeout(PING_LIMIT).keep_alive_while_idle(true);
        let made = builder.handshake(socket).await;
        let (sender, connection) = made.map_err(|error| Unmade::of_connect(io::Error::other(error)))?;
        tasks.execute(async move {
            // Whoever still waits for something of it is told.
            let _ = connection.await;
        });
        let mut headers = outgoing::headers(address.authority());
        headers.remove(HOST);
        let scheme = if address.is_https() { Scheme::HTTPS } else { Scheme::HTTP };
        let (authority, tended) = (address.authority().parse().ok(), AtomicU8::new(0));
        Ok(Self { sender, address: address.clone(), headers, scheme, authority, tended, _ends_tasks: ends_tasks })
    }

    /// Sends a request and waits for the head of its answer.
    pub(super) async fn send(&self, request: &Outgoing) -> Result<(Head, Incoming), Unanswered> {
        if self.tended.load(Ordering::Relaxed) > 0 {
            self.tended.store(0, Ordering::Relaxed);
        }
        let answer = self.sender.clone().try_send_request(self.to_request(request)).await;
        answer.map(Head::split).map_err(|error| {
            let was_given_back = error.message().is_some();
            Unanswered::of(error.into_error(), was_given_back)
        })
    }

    /// The request with a whole Uri, as HTTP/2 has no `Host`.
    fn to_request(&self, request: &Outgoing) -> Request<Payload> {
        let mut request = request.to_request(self.headers.clone(), self.address.path());
        let mut parts = std::mem::take(request.uri_mut()).into_parts();
        parts.scheme = Some(self.scheme.clone());
        parts.authority = self.authority.clone();
        // It had a path, and with one the parts are a whole.
        *request.uri_mut() = Uri::from_parts(parts).unwrap_or_default();
        request
    }

    /// Does it take no more requests?
    pub(super) fn is_closed(&self) -> bool {
        self.sender.is_closed()
    }

    /// Counts that it is looked after, and returns how often it was since it was used.
    pub(super) fn tended(&self) -> u8 {
        self.tended.fetch_add(1, Ordering::Relaxed) + 1
    }
}

/// Why a request has no answer.
#[derive(Debug)]
pub(super) struct Unanswered {
    pub(super) error: hyper::Error,
    /// Nothing of it has left, or the other side has not looked at it and says so (RFC 9113, 8.7).
    pub(super) unsent: bool,
    /// The connection itself is well.
    pub(super) of_stream: bool,
}

impl Unanswered {
    fn of(error: hyper::Error, was_given_back: bool) -> Self {
        let cause = error.source().and_then(|cause| cause.downcast_ref::<h2::Error>());
        let unseen = cause.is_some_and(|cause| {
            // Only streams after the last one that is answered are told of a GOAWAY.
            cause.is_remote() && (cause.is_go_away() || cause.reason() == Some(h2::Reason::REFUSED_STREAM))
        });
        let of_stream = cause.is_some_and(h2::Error::is_reset);
        Self { unsent: was_given_back || unseen, of_stream, error }
    }
}

/// Runs what belongs to a connection until the connection is dropped.
#[derive(Debug, Clone)]
struct Tasks(CancellationToken);

impl<F: Future<Output = ()> + Send + 'static> Executor<F> for Tasks {
    fn execute(&self, task: F) {
        let stop = self.0.clone();
        tokio::spawn(async move {
            let _ = stop.run_until_cancelled_owned(task).await;
        });
    }
}

#[cfg(test)]
mod tests {
    use hyper_util::rt::TokioIo;
    use tokio::time::{Instant, sleep};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_dead_peer_is_found_without_a_call() {
        let address = "10.0.0.1:80".parse().unwrap();
        let (near, far) = tokio::io::duplex(64 * 1024);
        let standing = Standing::over(Socket::Simulated(TokioIo::new(near)), &address).await.unwrap();
        let mut peer = h2::server::handshake(far).await.unwrap();
        let lives = async { while peer.accept().await.is_some() {} };
        tokio::select! {
            () = lives => unreachable!("nobody closes it"),
            () = sleep(10 * PING_EVERY) => assert!(!standing.is_closed(), "whoever answers is not dead"),
        }
        let dead = Instant::now();
        while !standing.is_closed() {
            sleep(Duration::from_millis(100)).await;
            assert!(dead.elapsed() < 2 * (PING_EVERY + PING_LIMIT));
        }
    }
}
