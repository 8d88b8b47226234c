//! Connections of one instance, owned by what is remembered of it: to pick an instance is to pick its
//! connections.
//!
//! HTTP/1.1 with keep-alive over hyper's connection-level client. hyper-util's pooled client was the
//! alternative; it looks connections up by address on every call and does not tell for certain whether
//! a failed request was sent.

mod lines;
mod network;
mod outgoing;
mod slots;

use std::error::Error as StdError;
use std::fmt;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::header::RETRY_AFTER;
use http::{HeaderValue, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use mainstay_contracts::Address;
use parking_lot::Mutex;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

pub(crate) use self::lines::Lines;
pub(crate) use self::network::Network;
pub(crate) use self::outgoing::Outgoing;
pub(crate) use self::slots::Slot;
use self::slots::Slots;

/// Idle connections kept per instance.
const IDLE_LIMIT: usize = 32;
/// Connections per instance; further calls wait for one, within their deadline and at nobody's fault.
const OPEN_LIMIT: usize = 512;

/// A whole answer.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) retry_after: Option<Duration>,
    pub(crate) body: Bytes,
}

/// Why there is no answer.
#[derive(Debug)]
pub(crate) enum Broken {
    /// No connection could be made; nothing was sent.
    Refused(io::Error),
    /// Our own side could not even try; nothing was sent.
    NoSocket(io::Error),
    /// The connection broke.
    Connection(hyper::Error),
    /// The answer is larger than so many bytes.
    TooLarge(usize),
}

/// "Too many open files", in this process and in the system: as every Unix numbers them.
const EMFILE: i32 = 24;
const ENFILE: i32 = 23;

impl Broken {
    fn of_connect(error: io::Error) -> Self {
        let is_ours = matches!(error.raw_os_error(), Some(EMFILE | ENFILE))
            || matches!(error.kind(), io::ErrorKind::AddrNotAvailable | io::ErrorKind::OutOfMemory);
        if is_ours { Self::NoSocket(error) } else { Self::Refused(error) }
    }
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(_) => f.write_str("connection refused"),
            Self::NoSocket(_) => f.write_str("no socket left on this machine"),
            Self::Connection(_) => f.write_str("connection broken"),
            Self::TooLarge(limit) => write!(f, "answer larger than {limit} bytes"),
        }
    }
}

impl StdError for Broken {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            Self::Refused(error) | Self::NoSocket(error) => Some(error),
            Self::Connection(error) => Some(error),
            Self::TooLarge(_) => None,
        }
    }
}

type Sender = SendRequest<Full<Bytes>>;

/// The connections to one address.
#[derive(Debug)]
pub(crate) struct Connections {
    network: Network,
    authority: Box<str>,
    path: Box<str>,
    host: HeaderValue,
    idle: Mutex<Vec<Sender>>,
    slots: Arc<Slots>,
}

impl Connections {
    pub(crate) fn new(address: &Address, network: Network) -> Self {
        let authority = address.authority();
        Self {
            network,
            authority: authority.into(),
            path: address.path().into(),
            host: HeaderValue::from_str(authority).unwrap_or_else(|_| HeaderValue::from_static("")),
            idle: Mutex::default(),
            slots: Slots::new(OPEN_LIMIT),
        }
    }

    /// A free slot, if there is one now.
    pub(crate) fn try_slot(&self) -> Option<Slot> {
        self.slots.try_take()
    }

    /// Waits for a slot, without a bound.
    ///
    /// Cancel safe.
    pub(crate) async fn slot(&self) -> Slot {
        self.slots.take().await
    }

    /// Closes the connections that nobody uses.
    pub(crate) fn forget_idle(&self) {
        let idle = std::mem::take(&mut *self.idle.lock());
        drop(idle);
    }

    /// One request, one whole answer. `sent` becomes true before the first byte may leave.
    ///
    /// Cancel safe: dropping it closes the connection it used.
    pub(crate) async fn exchange(&self, request: &Outgoing, sent: &AtomicBool) -> Result<Reply, Broken> {
        let mut repeated = false;
        while !repeated && let Some(mut sender) = self.idle_sender() {
            if sender.ready().await.is_err() {
                continue;
            }
            sent.store(true, Ordering::Relaxed);
            match sender.try_send_request(request.to_request(self)).await {
                Ok(response) => return self.finish(sender, response, request.limit).await,
                // It broke while idle, and nothing was sent.
                Err(error) if error.message().is_some() => sent.store(false, Ordering::Relaxed),
                // It may have broken while idle; sent again once, on a fresh connection (RFC 9112, 9.3.1).
                Err(_) if request.repeatable => repeated = true,
                Err(error) => return Err(Broken::Connection(error.into_error())),
            }
        }
        let mut sender = self.connect().await?;
        sent.store(true, Ordering::Relaxed);
        let response = sender.send_request(request.to_request(self)).await.map_err(Broken::Connection)?;
        self.finish(sender, response, request.limit).await
    }

    /// As [`exchange`](Self::exchange), over a connection of its own that is closed afterwards: what a probe wants.
    pub(crate) async fn exchange_once(&self, request: &Outgoing) -> Result<Reply, Broken> {
        let mut sender = self.connect().await?;
        let response = sender.send_request(request.to_request(self)).await.map_err(Broken::Connection)?;
        read(response, request.limit).await
    }

    /// Asks over a connection of its own, which ends when the lines of the answer are dropped.
    pub(crate) async fn stream(&self, request: &Outgoing) -> Result<(StatusCode, Lines), Broken> {
        let mut sender = self.connect().await?;
        let response = sender.send_request(request.to_request(self)).await.map_err(Broken::Connection)?;
        Ok((response.status(), Lines::new(sender, response.into_body())))
    }

    async fn finish(&self, sender: Sender, response: Response<Incoming>, limit: usize) -> Result<Reply, Broken> {
        let reply = read(response, limit).await?;
        let mut idle = self.idle.lock();
        if !sender.is_closed() && idle.len() < IDLE_LIMIT {
            idle.push(sender);
        }
        Ok(reply)
    }

    fn idle_sender(&self) -> Option<Sender> {
        let mut idle = self.idle.lock();
        while let Some(sender) = idle.pop() {
            if !sender.is_closed() {
                return Some(sender);
            }
        }
        None
    }

    async fn connect(&self) -> Result<Sender, Broken> {
        match &self.network {
            Network::Tcp => {
                let socket = TcpStream::connect(&*self.authority).await.map_err(Broken::of_connect)?;
                socket.set_nodelay(true).map_err(Broken::Refused)?;
                handshake(socket).await
            }
            #[cfg(feature = "testing")]
            Network::Simulated(network) => {
                handshake(network.connect(&self.authority, &self.path).await.map_err(Broken::Refused)?).await
            }
        }
    }
}

async fn handshake(socket: impl AsyncRead + AsyncWrite + Unpin + Send + 'static) -> Result<Sender, Broken> {
    let (sender, connection) = http1::handshake(TokioIo::new(socket)).await.map_err(Broken::Connection)?;
    tokio::spawn(async move {
        // Whoever sent a request is told of the error; an idle connection has nobody to tell.
        let _ = connection.await;
    });
    Ok(sender)
}

async fn read(response: Response<Incoming>, limit: usize) -> Result<Reply, Broken> {
    let status = response.status();
    let retry_after = response.headers().get(RETRY_AFTER).and_then(seconds);
    let body = whole(response.into_body(), limit).await?;
    // These say that there is nothing (RFC 9110, 15.3.5 and 15.3.6), and nothing is null. From any other status, an
    // empty body is a broken one.
    let nothing = matches!(status, StatusCode::NO_CONTENT | StatusCode::RESET_CONTENT) && body.is_empty();
    let body = if nothing { Bytes::from_static(b"null") } else { body };
    Ok(Reply { status, retry_after, body })
}

/// Most bodies are one frame, which stays where it was read.
async fn whole(mut body: Incoming, limit: usize) -> Result<Bytes, Broken> {
    let mut whole = Bytes::new();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(Broken::Connection)?.into_data() else { continue };
        if whole.len() + data.len() > limit {
            return Err(Broken::TooLarge(limit));
        }
        whole = match whole.is_empty() {
            true => data,
            false => {
                let mut longer = BytesMut::from(whole);
                longer.extend_from_slice(&data);
                longer.freeze()
            }
        };
    }
    Ok(whole)
}

/// `Retry-After` in seconds; a date is not understood and ignored.
fn seconds(value: &HeaderValue) -> Option<Duration> {
    value.to_str().ok()?.trim().parse().ok().map(Duration::from_secs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn having_no_socket_left_is_nobody_elses_fault() {
        for (error, ours) in [
            (io::Error::from_raw_os_error(EMFILE), true),
            (io::Error::from_raw_os_error(ENFILE), true),
            (io::ErrorKind::AddrNotAvailable.into(), true),
            (io::ErrorKind::ConnectionRefused.into(), false),
            (io::ErrorKind::HostUnreachable.into(), false),
        ] {
            assert_eq!(matches!(Broken::of_connect(error), Broken::NoSocket(_)), ours);
        }
    }
}
