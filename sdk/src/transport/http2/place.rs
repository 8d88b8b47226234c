//! The connection of one runtime.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use arc_swap::ArcSwapOption;
use futures_util::future::{FutureExt, WeakShared};
use parking_lot::Mutex;
use tokio::runtime;

use super::read;
use super::standing::Standing;
use crate::transport::{Broken, Connections, Outgoing, Reply, Unmade};

/// How many connections a call may come upon that take nothing more: an instance may end each after some calls.
const TRIES: u32 = 3;
/// How often a connection is looked after before it counts as unused for long.
const TENDED_LIMIT: u8 = 2;

type Connecting = Pin<Box<dyn Future<Output = Result<Arc<Standing>, Unmade>> + Send>>;

pub(super) struct Place {
    runtime: runtime::Id,
    standing: ArcSwapOption<Standing>,
    /// Shared by all who wait for it, and driven by any of them: when they have all left, it is gone.
    connecting: Mutex<Option<WeakShared<Connecting>>>,
}

impl Place {
    pub(super) fn of(runtime: runtime::Id) -> Self {
        Self { runtime, standing: ArcSwapOption::empty(), connecting: Mutex::new(None) }
    }

    pub(super) fn is_of(&self, runtime: runtime::Id) -> bool {
        self.runtime == runtime
    }

    /// Is there a connection?
    pub(super) fn stands(&self) -> bool {
        self.standing().is_some()
    }

    /// As [`Multiplexed::exchange`](super::Multiplexed::exchange), in its runtime.
    pub(super) async fn exchange(
        self: &Arc<Self>,
        connections: &Arc<Connections>,
        request: &Outgoing,
    ) -> Result<Reply, Broken> {
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
    async fn connected(self: &Arc<Self>, connections: &Arc<Connections>) -> Result<Arc<Standing>, Unmade> {
        let connecting = {
            let mut connecting = self.connecting.lock();
            if let Some(standing) = self.standing() {
                return Ok(standing);
            }
            connecting.as_ref().and_then(WeakShared::upgrade).unwrap_or_else(|| {
                let made = connect(Arc::clone(self), Arc::clone(connections)).boxed().shared();
                *connecting = made.downgrade();
                made
            })
        };
        connecting.await
    }

    fn forget(&self, standing: &Arc<Standing>) {
        self.standing.compare_and_swap(standing, None);
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let standing = &*self.standing.load();
        f.debug_struct("Place").field("runtime", &self.runtime).field("standing", standing).finish_non_exhaustive()
    }
}

async fn connect(place: Arc<Place>, connections: Arc<Connections>) -> Result<Arc<Standing>, Unmade> {
    let made = Standing::connect(&connections).await.map(Arc::new);
    let mut connecting = place.connecting.lock();
    if let Ok(standing) = &made {
        place.standing.store(Some(Arc::clone(standing)));
    }
    *connecting = None;
    made
}
