//! A router on a listener, with a bound on everything a client can make it hold.

use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, HttpBody as _};
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use http_body_util::BodyExt as _;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use socket2::SockRef;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tracing::warn;

use super::Refused;

/// What clients may make a server hold, and for how long.
///
/// | Limit | Default | Beyond it |
/// |---|---|---|
/// | [`connections`](Limits::connections) at once | 1024 | the next one waits in the kernel's queue |
/// | [`head`](Limits::head), also the longest a connection idles | 5 s | the connection is closed |
/// | [`body_bytes`](Limits::body_bytes) | 64 KiB | 413 |
/// | [`body`](Limits::body), to its last byte | 10 s | 408 |
/// | [`answer`](Limits::answer), from then to the response's head | 10 s | 503 |
/// | [`drain`](Limits::drain), after the shutdown | 2 s | what still runs is dropped |
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Connections that are open at once.
    pub connections: usize,
    /// How long a request's head may take to arrive, counted from when the connection could take one.
    pub head: Duration,
    /// The longest body of a request.
    pub body_bytes: usize,
    /// How long a request's body may take to arrive.
    pub body: Duration,
    /// How long a request whose body has arrived may take until the head of its response. It is the server's fault, and
    /// clients shall know it.
    pub answer: Duration,
    /// How long requests that have begun may still take when the server ends.
    pub drain: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 1024,
            head: Duration::from_secs(5),
            body_bytes: 64 * 1024,
            body: Duration::from_secs(10),
            answer: Duration::from_secs(10),
            drain: Duration::from_secs(2),
        }
    }
}

/// How many connections may wait until they are accepted; the system has a limit of its own (on Linux `somaxconn`, often
/// 4096). The usual 128 overflows when everybody asks at once, and whoever does not fit tries again a second later:
/// after the patience of many a client.
const QUEUE: i32 = 4096;

/// How long to wait when the system has no more file descriptors: trying again at once would only spin.
const ACCEPT_AGAIN: Duration = Duration::from_millis(50);

/// Serves `router` on `listener` until `shutdown` resolves, then accepts nothing more and finishes what has begun.
///
/// `axum::serve` is shorter, but lets anybody open connections without number and keep them for ever: one
/// client that sends half a request a thousand times would end the service.
///
/// Cancel safe: dropping it closes every connection.
pub async fn run(listener: TcpListener, router: Router, limits: Limits, shutdown: impl Future<Output = ()>) {
    let service = TowerToHyperService::new(router.layer(middleware::from_fn_with_state(limits, bound)));
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(limits.head);

    // To listen again is to change the queue. Where that is not to be had, the queue stays as it is.
    let _ = SockRef::from(&listener).listen(QUEUE);

    let ending = GracefulShutdown::new();
    let mut connections = JoinSet::new();
    let mut shutdown = pin!(shutdown);
    loop {
        tokio::select! {
            () = &mut shutdown => break,
            Some(_) = connections.join_next() => {}
            accepted = listener.accept(), if connections.len() < limits.connections => match accepted {
                Ok((stream, _)) => {
                    // An answer is one small packet: waiting for more to send with it gains nothing. Where the
                    // option cannot be set, the connection is gone already.
                    let _ = stream.set_nodelay(true);
                    connections.spawn(ending.watch(http.serve_connection(TokioIo::new(stream), service.clone())));
                }
                Err(error) => {
                    warn!(target: "mainstay::serve", "a connection could not be accepted: {error}");
                    sleep(ACCEPT_AGAIN).await;
                }
            },
        }
    }
    drop(listener);
    if timeout(limits.drain, ending.shutdown()).await.is_err() {
        warn!(target: "mainstay::serve", "requests were dropped: they took longer than {:?} to end", limits.drain);
    }
}

/// Hands on requests that are whole.
async fn bound(State(limits): State<Limits>, request: Request, next: Next) -> Response {
    let (head, body) = request.into_parts();
    let body = match timeout(limits.body, read(body, limits.body_bytes)).await {
        Ok(Ok(body)) => body,
        Ok(Err(refused)) => return refused.into_response(),
        Err(_) => {
            let reason = format!("the body took longer than {:?}", limits.body);
            return Refused::new(StatusCode::REQUEST_TIMEOUT, reason).into_response();
        }
    };
    match timeout(limits.answer, next.run(Request::from_parts(head, Body::from(body)))).await {
        Ok(response) => response,
        Err(_) => {
            let reason = format!("no answer within {:?}", limits.answer);
            Refused::new(StatusCode::SERVICE_UNAVAILABLE, reason).into_response()
        }
    }
}

/// How much of a body that is too long is read and thrown away. A client that is still sending when the
/// connection closes would never get to read why.
const SWALLOWED: usize = 16 * 1024 * 1024;

async fn read(mut body: Body, limit: usize) -> Result<Vec<u8>, Refused> {
    let mut whole = Vec::new();
    let mut length = 0;
    let mut too_long = body.size_hint().lower() > limit as u64;
    while let Some(frame) = body.frame().await {
        let Ok(data) = (match frame {
            Ok(frame) => frame.into_data(),
            Err(_) if too_long => break,
            Err(_) => return Err(Refused::bad_request("the body broke off")),
        }) else {
            continue;
        };
        length += data.len();
        too_long |= length > limit;
        if !too_long {
            whole.extend_from_slice(&data);
        } else if length > SWALLOWED {
            break;
        }
    }
    if too_long {
        let reason = format!("a body may have {limit} bytes at most");
        return Err(Refused::new(StatusCode::PAYLOAD_TOO_LARGE, reason));
    }
    Ok(whole)
}
