//! What several callers ask for at once travels together: one trip, and one write to the disk, for all of them.
//!
//! While a few trips are under way, whatever comes waits for the next one. Nobody waits for company: an only caller's
//! trip begins at once. How much may wait is bounded by bytes; who comes then waits for room, within its time.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use mainstay::contracts::hub::BATCH_LIMIT;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};
use tokio::time::{Instant, sleep, timeout_at};

use crate::Error;

/// Trips under way at once: one is being written while the next is being read.
const TRIPS: usize = 3;
/// Bytes of one trip. A thing that is longer travels alone.
const TRIP_BYTES: usize = 1024 * 1024;
/// Bytes waiting and under way.
const BYTES: usize = 32 * 1024 * 1024;
/// How long until a trip that failed begins again.
const AGAIN: Duration = Duration::from_millis(50);

type Trip<T, R> = Arc<dyn Fn(Vec<T>) -> BoxFuture<'static, Result<Vec<R>, Error>> + Send + Sync>;

/// What can be taken on a trip.
pub(crate) trait Thing: Clone + Send + Sync + 'static {
    /// About so many bytes.
    fn bytes(&self) -> usize;
}

/// Takes things on trips.
pub(crate) struct Batcher<T, R> {
    waiting: mpsc::UnboundedSender<Item<T, R>>,
    room: Arc<Semaphore>,
}

struct Item<T, R> {
    thing: T,
    until: Instant,
    done: oneshot::Sender<Result<R, Error>>,
    _room: OwnedSemaphorePermit,
}

impl<T: Thing, R: Send + 'static> Batcher<T, R> {
    /// Takes whatever comes on such trips, until the last clone of it is dropped and everybody is served.
    pub(crate) fn start<F: Future<Output = Result<Vec<R>, Error>> + Send + 'static>(
        trip: impl Fn(Vec<T>) -> F + Send + Sync + 'static,
    ) -> Self {
        let (waiting, items) = mpsc::unbounded_channel();
        tokio::spawn(serve(items, Arc::new(move |things| trip(things).boxed())));
        Self { waiting, room: Arc::new(Semaphore::new(BYTES)) }
    }

    /// Takes a thing on the next trip, and on others for as long as trips fail.
    pub(crate) async fn submit(&self, thing: T, until: Instant) -> Result<R, Error> {
        let (done, result) = oneshot::channel();
        let submitted = async {
            let bytes = u32::try_from(thing.bytes().min(BYTES)).unwrap_or(u32::MAX);
            let ended = || Error::unavailable("it has ended");
            let _room = Arc::clone(&self.room).acquire_many_owned(bytes).await.map_err(|_| ended())?;
            self.waiting.send(Item { thing, until, done, _room }).map_err(|_| ended())?;
            result.await.unwrap_or_else(|_| Err(ended()))
        };
        let late = || Err(Error::unavailable("no answer in time; it may have been taken"));
        timeout_at(until, submitted).await.unwrap_or_else(|_| late())
    }
}

async fn serve<T: Thing, R: Send + 'static>(mut items: mpsc::UnboundedReceiver<Item<T, R>>, trip: Trip<T, R>) {
    let trips = Arc::new(Semaphore::new(TRIPS));
    let mut next = None;
    loop {
        let Ok(place) = Arc::clone(&trips).acquire_owned().await else { return };
        let first = match next.take() {
            Some(first) => first,
            None => match items.recv().await {
                Some(first) => first,
                None => return,
            },
        };
        let mut bytes = first.thing.bytes();
        let mut batch = vec![first];
        while next.is_none()
            && batch.len() < BATCH_LIMIT
            && let Ok(item) = items.try_recv()
        {
            bytes += item.thing.bytes();
            if bytes <= TRIP_BYTES {
                batch.push(item);
            } else {
                next = Some(item);
            }
        }
        let trip = Arc::clone(&trip);
        tokio::spawn(async move {
            go(batch, &trip).await;
            drop(place);
        });
    }
}

async fn go<T: Thing, R>(mut batch: Vec<Item<T, R>>, trip: &Trip<T, R>) {
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
        Self { waiting: self.waiting.clone(), room: Arc::clone(&self.room) }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use futures_util::future::join_all;
    use parking_lot::Mutex;
    use tokio::time::advance;

    use super::*;

    impl Thing for usize {
        fn bytes(&self) -> usize {
            *self
        }
    }

    fn soon() -> Instant {
        Instant::now() + Duration::from_secs(5)
    }

    #[tokio::test(start_paused = true)]
    async fn what_comes_during_a_trip_travels_together() {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let trips = Arc::clone(&seen);
        let batcher = Batcher::start(move |things: Vec<usize>| {
            trips.lock().push(things.len());
            async move {
                sleep(Duration::from_millis(1)).await;
                Ok(things)
            }
        });
        let results = join_all((0..100).map(|thing| batcher.submit(thing, soon()))).await;
        assert!(results.into_iter().map(Result::unwrap).eq(0..100));
        let trips = seen.lock();
        assert_eq!(trips.iter().sum::<usize>(), 100);
        assert!(trips.len() <= TRIPS + 1, "{trips:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_trip_carries_so_many_bytes_and_no_more_wait_than_there_is_room_for() {
        let heaviest = Arc::new(AtomicUsize::new(0));
        let seen = Arc::clone(&heaviest);
        let batcher = Batcher::start(move |things: Vec<usize>| {
            seen.fetch_max(things.iter().sum(), Ordering::Relaxed);
            async move {
                sleep(Duration::from_millis(1)).await;
                Ok(things)
            }
        });
        let half = TRIP_BYTES / 2;
        let results = join_all((0..200).map(|_| batcher.submit(half, soon()))).await;
        assert!(results.into_iter().all(|result| result.is_ok()));
        assert_eq!(heaviest.load(Ordering::Relaxed), TRIP_BYTES);
        assert!(batcher.submit(10 * TRIP_BYTES, soon()).await.is_ok(), "alone");
    }

    #[tokio::test(start_paused = true)]
    async fn a_trip_that_failed_begins_again_within_its_callers_time() {
        let tries = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&tries);
        let batcher = Batcher::start(move |things: Vec<usize>| {
            let fails = count.fetch_add(1, Ordering::Relaxed) < 3;
            async move { if fails { Err(Error::unavailable("away")) } else { Ok(things) } }
        });
        assert_eq!(batcher.submit(7, soon()).await.unwrap(), 7);
        assert_eq!(tries.load(Ordering::Relaxed), 4);

        let away = Batcher::start(|_: Vec<usize>| async { Err::<Vec<usize>, _>(Error::unavailable("away")) });
        let asked = tokio::spawn(async move { away.submit(7, soon()).await });
        tokio::task::yield_now().await;
        advance(Duration::from_secs(6)).await;
        assert!(asked.await.unwrap().unwrap_err().is_unavailable());

        let bad = Batcher::start(|_: Vec<usize>| async { Err::<Vec<usize>, _>(Error::unknown("no such channel")) });
        let begun = Instant::now();
        assert!(bad.submit(7, soon()).await.unwrap_err().is_unknown());
        assert_eq!(begun.elapsed(), Duration::ZERO, "not tried again");
    }
}
