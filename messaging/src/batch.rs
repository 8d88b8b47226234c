//! What several callers ask for at once travels together: one trip, and one write to the disk, for all of them.
//!
//! While a few trips are under way, whatever comes waits for the next one. Nobody waits for company: an only caller's
//! trip begins at once.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use mainstay::contracts::hub::BATCH_LIMIT;
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::time::{Instant, sleep, timeout_at};

use crate::Error;

/// Trips under way at once: one is being written while the next is being read.
const TRIPS: usize = 3;
/// Callers waiting beyond those on a trip. The next ones wait where they are.
const WAITING: usize = BATCH_LIMIT;
/// How long until a trip that failed begins again.
const AGAIN: Duration = Duration::from_millis(50);

type Trip<T, R> = Arc<dyn Fn(Vec<T>) -> BoxFuture<'static, Result<Vec<R>, Error>> + Send + Sync>;

/// Takes things on trips.
pub(crate) struct Batcher<T, R> {
    waiting: mpsc::Sender<Item<T, R>>,
}

struct Item<T, R> {
    thing: T,
    until: Instant,
    done: oneshot::Sender<Result<R, Error>>,
}

impl<T: Clone + Send + Sync + 'static, R: Send + 'static> Batcher<T, R> {
    /// Takes whatever comes on such trips, until the last clone of it is dropped and everybody is served.
    pub(crate) fn start<F: Future<Output = Result<Vec<R>, Error>> + Send + 'static>(
        trip: impl Fn(Vec<T>) -> F + Send + Sync + 'static,
    ) -> Self {
        let (waiting, items) = mpsc::channel(WAITING);
        tokio::spawn(serve(items, Arc::new(move |things| trip(things).boxed())));
        Self { waiting }
    }

    /// Takes a thing on the next trip, and on others for as long as trips fail.
    pub(crate) async fn submit(&self, thing: T, until: Instant) -> Result<R, Error> {
        let (done, result) = oneshot::channel();
        let submitted = async {
            let sent = self.waiting.send(Item { thing, until, done }).await;
            sent.map_err(|_| Error::unavailable("it has ended"))?;
            result.await.unwrap_or_else(|_| Err(Error::unavailable("it has ended")))
        };
        let late = || Err(Error::unavailable("no answer in time; it may have been taken"));
        timeout_at(until, submitted).await.unwrap_or_else(|_| late())
    }
}

async fn serve<T: Clone + Send + Sync + 'static, R: Send + 'static>(
    mut items: mpsc::Receiver<Item<T, R>>,
    trip: Trip<T, R>,
) {
    let trips = Arc::new(Semaphore::new(TRIPS));
    loop {
        let Ok(place) = Arc::clone(&trips).acquire_owned().await else { return };
        let mut batch = Vec::new();
        if items.recv_many(&mut batch, BATCH_LIMIT).await == 0 {
            return;
        }
        let trip = Arc::clone(&trip);
        tokio::spawn(async move {
            go(batch, &trip).await;
            drop(place);
        });
    }
}

async fn go<T: Clone, R>(mut batch: Vec<Item<T, R>>, trip: &Trip<T, R>) {
    loop {
        let error = match trip(batch.iter().map(|item| item.thing.clone()).collect()).await {
            Ok(results) => {
                // Nobody waits for a result whose caller has left.
                batch.into_iter().zip(results).for_each(|(item, result)| drop(item.done.send(Ok(result))));
                return;
            }
            Err(error) => error,
        };
        let again = Instant::now() + AGAIN;
        let given_up = |item: &mut Item<T, R>| !error.is_unavailable() || item.until <= again || item.done.is_closed();
        batch.extract_if(.., given_up).for_each(|item| drop(item.done.send(Err(error.clone()))));
        if batch.is_empty() {
            return;
        }
        sleep(AGAIN).await;
    }
}

impl<T, R> Clone for Batcher<T, R> {
    fn clone(&self) -> Self {
        Self { waiting: self.waiting.clone() }
    }
}
