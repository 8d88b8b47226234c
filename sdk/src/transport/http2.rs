//! HTTP/2: one connection to an instance, which all calls share.
//!
//! Unlike a connection of HTTP/1.1 it has tasks: whoever drove it would drive it for all others too, and may be dropped
//! at any time. They end when nobody uses the connection or keeps it for later. They run in the runtime where it was
//! made, and so only calls of that runtime share it: others would hang with it when nobody drives that one, or break
//! with it when it ends, and the instance would be blamed.

mod place;
mod standing;

use std::pin::Pin;
use std::sync::Arc;

use arc_swap::ArcSwap;
use hyper::body::{Body, Incoming};
use tokio::runtime;

use self::place::Place;
use self::standing::Standing;
use super::reply::Head;
use super::{Broken, Connections, Outgoing, Reply};

/// One place for each runtime: most programs have one.
#[derive(Debug, Default)]
pub(super) struct Multiplexed(ArcSwap<Vec<Arc<Place>>>);

impl Multiplexed {
    /// As [`Slot::exchange`](super::Slot::exchange). Dropping it ends its own stream, and no other.
    pub(super) async fn exchange(
        &self,
        connections: &Arc<Connections>,
        request: &Outgoing,
        here: runtime::Id,
    ) -> Result<Reply, Broken> {
        self.place(here).exchange(connections, request).await
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
        self.0.store(Arc::default());
    }

    /// Lets go of connections that broke, and of those that were not used since this was called before the last time.
    pub(super) fn tend(&self) {
        self.0.load().iter().for_each(|place| place.tend());
        if !self.0.load().iter().all(is_in_use) {
            self.0.rcu(|places| in_use(places));
        }
    }

    fn place(&self, here: runtime::Id) -> Arc<Place> {
        let of_here = || self.0.load().iter().find(|place| place.is_of(here)).cloned();
        of_here().unwrap_or_else(|| {
            let new = Arc::new(Place::of(here));
            self.0.rcu(|places| {
                // Runtimes may come and go with every call, and without the client's own nobody looks after places.
                let mut places = in_use(places);
                if !places.iter().any(|place| place.is_of(here)) {
                    places.push(Arc::clone(&new));
                }
                places
            });
            of_here().unwrap_or(new)
        })
    }
}

fn in_use(places: &[Arc<Place>]) -> Vec<Arc<Place>> {
    places.iter().filter(|place| is_in_use(place)).cloned().collect()
}

/// Is there a connection, or a call? One that comes with its place has not begun to connect when others look at it.
fn is_in_use(place: &Arc<Place>) -> bool {
    place.stands() || Arc::strong_count(place) > 1
}

async fn read(head: Head, body: Incoming, limit: usize) -> Result<Reply, Broken> {
    head.read(body, limit, |body, cx| Pin::new(body).poll_frame(cx).map_err(Broken::Connection)).await
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;
    use std::thread;

    use tokio::runtime::Handle;

    use super::*;

    #[tokio::test]
    async fn first_callers_of_a_runtime_have_one_place() {
        let (here, barrier) = (Handle::current().id(), Barrier::new(4));
        for _ in 0..200 {
            let multiplexed = Multiplexed::default();
            let first_call = || {
                barrier.wait();
                multiplexed.place(here)
            };
            let places = thread::scope(|scope| {
                let callers: Vec<_> = (0..4).map(|_| scope.spawn(first_call)).collect();
                callers.into_iter().map(|caller| caller.join().unwrap()).collect::<Vec<_>>()
            });
            assert!(places.iter().all(|place| Arc::ptr_eq(place, &places[0])));
        }
    }
}
