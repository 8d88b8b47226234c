//! A consumer of a channel, and a loop that does the rest.

mod delivery;

use std::collections::VecDeque;
use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use mainstay::contracts::Message;
use mainstay::contracts::hub::{BATCH_LIMIT, Delivered, Settlement, WAIT_LIMIT};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};
use tokio_util::task::AbortOnDropHandle;
use tracing::{debug, info};

pub use self::delivery::{Delivery, Failed};
use crate::Error;
use crate::batch::Batcher;
use crate::engine::{Engine, Place};

/// How long until a channel that could not be reached is asked again.
const AGAIN: Duration = Duration::from_millis(250);

/// One of those who share a channel.
pub struct Consumer<M> {
    engine: Arc<dyn Engine>,
    place: Place,
    settler: Batcher<Settlement, bool>,
    /// What was asked for and has not come. It goes on when whoever waits for it leaves: what it brings is invisible to
    /// others, and would otherwise be lost to everybody for a while.
    coming: Option<AbortOnDropHandle<Result<Vec<Received>, Error>>>,
    received: VecDeque<Received>,
    _message: PhantomData<fn() -> M>,
}

/// What came, and when.
type Received = (Delivered, Instant);

impl<M: Message> Consumer<M> {
    pub(crate) fn new(engine: Arc<dyn Engine>, place: Place) -> Self {
        let settler = Batcher::start({
            let (engine, place) = (Arc::clone(&engine), place.clone());
            move |settlements| {
                let (engine, place) = (Arc::clone(&engine), place.clone());
                async move { engine.settle(place, settlements).await }
            }
        });
        Self { engine, place, settler, coming: None, received: VecDeque::new(), _message: PhantomData }
    }

    /// The next delivery. Waits for it, without a bound, also while the engine cannot be reached. What cannot be read as
    /// an `M` is rejected, and not seen here.
    ///
    /// # Errors
    /// When the channel does not exist.
    ///
    /// Cancel safe.
    pub async fn next(&mut self) -> Result<Delivery<M>, Error> {
        self.next_of(1).await
    }

    /// The next delivery, of so many that are asked for if none is here.
    pub(crate) async fn next_of(&mut self, most: usize) -> Result<Delivery<M>, Error> {
        loop {
            while let Some((delivered, at)) = self.received.pop_front() {
                if let Some(delivery) = Delivery::read(delivered, at, &self.place, &self.settler) {
                    return Ok(delivery);
                }
            }
            let receive =
                || AbortOnDropHandle::new(tokio::spawn(receive(Arc::clone(&self.engine), self.place.clone(), most)));
            let came = self.coming.get_or_insert_with(receive).await;
            self.coming = None;
            // A task that neither panics nor is aborted.
            self.received.extend(came.map_err(|_| Error::unavailable("the runtime is ending"))??);
        }
    }

    /// Consumes until the shutdown, at most so many messages at once: a handler that succeeds acknowledges its message,
    /// one that fails has it delivered again. While a handler runs, its message stays invisible to others. Those that
    /// still run at the shutdown are finished.
    ///
    /// # Errors
    /// When the channel does not exist.
    ///
    /// Dropped, it drops its handlers; their messages are delivered again.
    pub async fn run<H, F>(mut self, at_once: usize, handle: H, shutdown: impl Future<Output = ()>) -> Result<(), Error>
    where
        H: Fn(Arc<Delivery<M>>) -> F,
        F: Future<Output = Result<(), Failed>> + Send + 'static,
    {
        let mut running = JoinSet::new();
        let mut shutdown = pin!(shutdown);
        loop {
            let room = at_once.clamp(1, BATCH_LIMIT).saturating_sub(running.len());
            tokio::select! {
                biased;
                () = &mut shutdown => break,
                Some(_) = running.join_next() => {}
                delivery = self.next_of(room), if room > 0 => {
                    let delivery = Arc::new(delivery?);
                    running.spawn(Arc::clone(&delivery).settled_by(handle(delivery)));
                }
            }
        }
        while running.join_next().await.is_some() {}
        Ok(())
    }
}

async fn receive(engine: Arc<dyn Engine>, place: Place, most: usize) -> Result<Vec<Received>, Error> {
    let mut was_away = false;
    loop {
        match Arc::clone(&engine).receive(place.clone(), most, WAIT_LIMIT).await {
            Ok(received) if received.is_empty() => debug!(target: "mainstay::messaging", "{place} is quiet"),
            Ok(received) => {
                let now = Instant::now();
                return Ok(received.into_iter().map(|delivered| (delivered, now)).collect());
            }
            Err(error) if error.is_unavailable() => {
                if !std::mem::replace(&mut was_away, true) {
                    info!(target: "mainstay::messaging", "{place} cannot be consumed: {error}; trying on");
                }
                sleep(AGAIN).await;
            }
            Err(error) => return Err(error),
        }
    }
}

impl<M> fmt::Debug for Consumer<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Consumer").field("place", &self.place).finish_non_exhaustive()
    }
}
