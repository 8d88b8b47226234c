//! Connections of one instance, owned by what is remembered of it: to pick an instance is to pick its
//! connections.
//!
//! HTTP/1.1 with keep-alive, or by policy one connection of HTTP/2, over hyper's connection-level client. hyper-util's
//! pooled client was the alternative; it looks connections up by address on every call, drives each in a task of its
//! own, and does not tell for certain whether a failed request was sent.

mod broken;
mod connection;
#[cfg(feature = "http2")]
mod http2;
mod idle;
mod limit;
mod lines;
mod network;
mod outgoing;
mod reply;
mod slots;
mod socket;
#[cfg(feature = "tls")]
mod tls;
mod user;

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use http::{HeaderValue, StatusCode};
use mainstay_contracts::Address;
use tokio::runtime;
use tokio::time::Instant;
use tracing::warn;

pub(crate) use self::broken::{Broken, Unmade};
use self::connection::Connection;
#[cfg(feature = "http2")]
use self::http2::Multiplexed;
use self::idle::Idle;
pub(crate) use self::lines::Lines;
pub(crate) use self::network::Network;
use self::network::{Protocol, Way};
pub(crate) use self::outgoing::Outgoing;
pub(crate) use self::reply::Reply;
use self::slots::Slots;
use self::socket::Socket;
#[cfg(feature = "tls")]
pub(crate) use self::tls::Tls;
use crate::patience::wait_until;

/// Connections per instance; further calls wait for one, within their deadline and at nobody's fault.
const OPEN_LIMIT: usize = 512;

/// The connections to one address.
#[derive(Debug)]
pub(crate) struct Connections {
    /// `None` where TLS is needed and there is none here.
    way: Option<Way>,
    address: Address,
    idle: Idle,
    slots: Slots,
    /// What a registry is shown with every request.
    authorization: Option<Box<HeaderValue>>,
    /// In place of all others, where the policy says so.
    #[cfg(feature = "http2")]
    multiplexed: Option<Box<Multiplexed>>,
}

impl Connections {
    pub(crate) fn new(address: &Address, network: &Network) -> Self {
        let way = network.way(address);
        if way.is_none() {
            warn!(target: "mainstay::call", "{address} cannot be called: {}", Broken::from(Unmade::NoTls));
        }
        Self {
            way,
            address: address.clone(),
            idle: Idle::default(),
            slots: Slots::new(OPEN_LIMIT),
            authorization: None,
            #[cfg(feature = "http2")]
            multiplexed: network.is_multiplexed().then(Box::default),
        }
    }

    /// Those of a registry: over HTTP/1.1, whatever the policy for instances is.
    pub(crate) fn of_registry(address: &Address, network: &Network, authorization: Option<&HeaderValue>) -> Self {
        let network = Network { http2: false, ..network.clone() };
        Self { authorization: authorization.cloned().map(Box::new), ..Self::new(address, &network) }
    }

    /// A free slot, if there is one now.
    pub(crate) fn try_slot(self: &Arc<Self>) -> Option<Slot> {
        self.slots.try_take().then(|| Slot(Arc::clone(self)))
    }

    /// Waits for a slot, without a bound.
    ///
    /// Cancel safe.
    pub(crate) async fn slot(self: &Arc<Self>) -> Slot {
        self.slots.take().await;
        Slot(Arc::clone(self))
    }

    /// Closes the connections that nobody uses.
    pub(crate) fn forget_idle(&self) {
        self.idle.close();
        #[cfg(feature = "http2")]
        self.multiplexed.iter().for_each(|multiplexed| multiplexed.close());
    }

    /// Closes the connections that broke while nobody used them, or that nobody has used for long.
    pub(crate) fn tend_idle(&self) {
        self.idle.tend();
        #[cfg(feature = "http2")]
        self.multiplexed.iter().for_each(|multiplexed| multiplexed.tend());
    }

    /// One request, one whole answer, over a connection of its own that is closed afterwards: what a probe wants.
    pub(crate) async fn exchange_once(&self, request: &Outgoing) -> Result<Reply, Broken> {
        #[cfg(feature = "http2")]
        if let Some(multiplexed) = &self.multiplexed {
            return Box::pin(multiplexed.exchange_once(self, request)).await;
        }
        let mut connection = self.connect().await?;
        let (head, body) = connection.send(request, false, None).await.map_err(|unanswered| unanswered.why)?;
        head.read(body, request.limit, |body, cx| connection.poll_frame(body, cx)).await
    }

    /// Asks over a connection of its own, which ends when the lines of the answer are dropped.
    pub(crate) async fn stream(&self, request: &Outgoing) -> Result<(StatusCode, Lines), Broken> {
        let mut connection = self.connect().await?;
        let (head, body) = connection.send(request, false, None).await.map_err(|unanswered| unanswered.why)?;
        Ok((head.status, Lines::new(connection, body)))
    }

    async fn socket(&self, protocol: Protocol) -> Result<Socket, Unmade> {
        let way = self.way.as_ref().ok_or(Unmade::NoTls)?;
        way.connect(self.address.authority(), self.address.path(), protocol).await
    }

    async fn connect(&self) -> Result<Box<Connection>, Broken> {
        let socket = self.socket(Protocol::Http1).await?;
        Connection::new(socket, &self.address, self.authorization.as_deref()).await.map_err(Broken::Connection)
    }
}

/// The right to one connection.
#[derive(Debug)]
pub(crate) struct Slot(Arc<Connections>);

impl Slot {
    /// One request, one whole answer, until a limit, in the runtime that polls this. The request counts as sent before
    /// its first byte may leave.
    ///
    /// Cancel safe: dropping it closes the connection it used, or the stream on the one that all use.
    pub(crate) async fn exchange(
        &self,
        request: &Outgoing,
        limit: Instant,
        here: runtime::Id,
    ) -> Result<Reply, Broken> {
        #[cfg(feature = "http2")]
        if let Some(multiplexed) = &self.0.multiplexed {
            return within(limit, multiplexed.exchange(&self.0, request, here)).await;
        }
        let idle = &self.0.idle;
        let mut kept = idle.take(here);
        loop {
            let was_idle = kept.is_some();
            let mut connection = match kept {
                Some(connection) => connection,
                None => within(limit, self.0.connect()).await?,
            };
            let before = request.sent.swap(true, Ordering::Relaxed);
            let error = match connection.send(request, self.0.slots.taken() > 1, Some(limit)).await {
                Ok((head, body)) => {
                    let reply = head.read(body, request.limit, |body, cx| connection.poll_frame(body, cx)).await?;
                    idle.put(connection);
                    return Ok(reply);
                }
                Err(error) => error,
            };
            request.sent.store(before || !error.unsent, Ordering::Relaxed);
            kept = match was_idle {
                true if error.unsent => idle.take(here),
                // It may have broken while idle; sent again once, on a fresh connection (RFC 9112, 9.3.1).
                true if request.repeatable && matches!(error.why, Broken::Connection(_)) => None,
                _ => return Err(error.why),
            };
        }
    }
}

/// What is rare and large, and so in a box.
async fn within<T>(limit: Instant, made: impl Future<Output = Result<T, Broken>>) -> Result<T, Broken> {
    wait_until(limit, Box::pin(made)).await.unwrap_or(Err(Broken::TimedOut))
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.0.slots.give_back();
    }
}
