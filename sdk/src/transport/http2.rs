//! One HTTP/2 connection to an instance, which all calls share.
//!
//! Unlike a connection of HTTP/1.1 it has tasks: whoever drove it would drive it for all others too, and may be dropped
//! at any time. They end when nobody uses the connection or keeps it for later.

mod standing;

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use arc_swap::ArcSwapOption;
use futures_util::future::{FutureExt, WeakShared};
use hyper::body::{Body, Incoming};
use parking_lot::Mutex;

use self::standing::Standing;
use super::reply::Head;
use super::{Broken, Connections, Outgoing, Reply, Unmade};

/// How many connections a call may come upon that take nothing more: an instance may end each after some calls.
const TRIES: u32 = 3;
/// How often a connection is looked after before it counts as unused for long.
const TENDED_LIMIT: u8 = 2;

type Connecting = Pin<Box<dyn Future<Output = Result<Arc<Standing>, Unmade>> + Send>>;

#[derive(Default)]
pub(super) struct Multiplexed {
    standing: ArcSwapOption<Standing>,
    /// Shared by all who wait for it, and driven by any of them: when they have all left, it is gone.
    connecting: Mutex<Option<WeakShared<Connecting>>>,
}

impl Multiplexed {
    /// As [`Slot::exchange`](super::Slot::exchange). Dropping it ends its own stream, and no other.
    pub(super) async fn exchange(&self, connections: &Arc<Connections>, request: &Outgoing) -> Result<Reply, Broken> {
        let mut may_repeat = request.repeatable;
        let mut tries = 1;
        loop {
            let (standing, is_new) = match self.standing() {
                Some(standing) => (standing, false),
                None => (self.connected(connections).await?, true),
            };
            let before = request.sent.swap(true, Ordering::Relaxed);
            let error = match standing.send(request).await {
                Ok((head, body)) => return read(head, body, request.limit).await,
                Err(error) => error,
            };
            request.sent.store(before || !error.unsent, Ordering::Relaxed);
            if !error.of_stream {
                self.forget(&standing);
            }
            // What was sent may have met a connection that was about to break; once, as with HTTP/1.1.
            let again = error.unsent || !is_new && std::mem::take(&mut may_repeat);
            if !again || tries == TRIES {
                return Err(Broken::Connection(error.error));
            }
            tries += 1;
        }
    }

    /// Over a connection of its own, which is closed afterwards.
    pub(super) async fn exchange_once(&self, connections: &Connections, request: &Outgoing) -> Result<Reply, Broken> {
        let standing = Standing::connect(connections).await?;
        let sent = standing.send(request).await;
        let (head, body) = sent.map_err(|error| Broken::Connection(error.error))?;
        read(head, body, request.limit).await
    }

    /// Keeps no connection for later. Calls that are under way go on.
    pub(super) fn close(&self) {
        *self.connecting.lock() = None;
        self.standing.store(None);
    }

    /// Lets go of a connection that broke, or that was not used since this was called before the last time.
    pub(super) fn tend(&self) {
        if let Some(standing) = self.standing.load_full()
            && (standing.is_closed() || standing.tended() > TENDED_LIMIT)
        {
            self.forget(&standing);
        }
    }

    fn standing(&self) -> Option<Arc<Standing>> {
        self.standing.load_full().filter(|standing| !standing.is_closed())
    }

    /// Waits for a connection, without a bound: together with everybody else who has come meanwhile.
    ///
    /// Cancel safe.
    async fn connected(&self, connections: &Arc<Connections>) -> Result<Arc<Standing>, Unmade> {
        let connecting = {
            let mut place = self.connecting.lock();
            if let Some(standing) = self.standing() {
                return Ok(standing);
            }
            place.as_ref().and_then(WeakShared::upgrade).unwrap_or_else(|| {
                let connecting = connect(Arc::clone(connections)).boxed().shared();
                *place = connecting.downgrade();
                connecting
            })
        };
        connecting.await
    }

    fn forget(&self, standing: &Arc<Standing>) {
        self.standing.compare_and_swap(standing, None);
    }
}

impl fmt::Debug for Multiplexed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Multiplexed").field("standing", &*self.standing.load()).finish_non_exhaustive()
    }
}

async fn connect(connections: Arc<Connections>) -> Result<Arc<Standing>, Unmade> {
    let made = Standing::connect(&connections).await.map(Arc::new);
    if let Some(multiplexed) = &connections.multiplexed {
        let mut place = multiplexed.connecting.lock();
        if let Ok(standing) = &made {
            multiplexed.standing.store(Some(Arc::clone(standing)));
        }
        *place = None;
    }
    made
}

async fn read(head: Head, body: Incoming, limit: usize) -> Result<Reply, Broken> {
    head.read(body, limit, |body, cx| Pin::new(body).poll_frame(cx).map_err(Broken::Connection)).await
}
