//! A gather under way.

use std::fmt;
use std::panic::resume_unwind;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::stream::Stream;
use tokio::sync::mpsc;
use tokio::task::JoinError;
use tokio::time::Instant;
use tokio_util::task::AbortOnDropHandle;

use super::drive::{Drive, Ended};
use super::{Asking, Completion, Gathered, Leg, Outcome};

/// A gather under way, whose legs are told as they end.
///
/// They run in one task, so that a slow reader does not hold them up. Dropped, the gather ends: every leg that is
/// under way ends as if its caller had gone, see [the module](super).
#[must_use = "a gather that is dropped ends"]
pub struct Gathering<K, T> {
    legs: Vec<Place<K, T>>,
    told: mpsc::Receiver<Ended<T>>,
    task: AbortOnDropHandle<Duration>,
    completion: Completion,
    began: Instant,
    deadline: Duration,
    /// When it was over, once it is.
    over: Option<Duration>,
    /// All legs before this place have been told.
    all_told: usize,
}

enum Place<K, T> {
    Open(K),
    Ended(Leg<K, T>),
    /// A stream has given it away.
    Taken,
}

impl<K, T: Send + 'static> Gathering<K, T> {
    pub(super) fn start(
        began: Instant,
        deadline: Duration,
        completion: Completion,
        (keys, legs): (Vec<K>, Vec<Asking<T>>),
    ) -> Self {
        // One place for each leg, so that telling never waits.
        let (tell, told) = mpsc::channel(legs.len().max(1));
        let drive = Drive::new(began, deadline, completion, legs);
        let task = AbortOnDropHandle::new(tokio::spawn(drive.run(move |ended| {
            // Nobody listens any more when the gather is being dropped.
            let _ = tell.try_send(ended);
        })));
        let legs = keys.into_iter().map(Place::Open).collect();
        Self { legs, told, task, completion, began, deadline, over: None, all_told: 0 }
    }

    /// The next leg to end, or `None` when all have. Those that are cancelled come last.
    ///
    /// Cancel safe: no leg is lost.
    pub async fn next(&mut self) -> Option<&Leg<K, T>> {
        let place = std::future::poll_fn(|cx| self.poll_next_place(cx)).await?;
        match &self.legs[place] {
            Place::Ended(leg) => Some(leg),
            Place::Open(_) | Place::Taken => None,
        }
    }

    /// Waits for the legs that are left, and gives all.
    pub async fn whole(mut self) -> Gathered<K, T> {
        while self.next().await.is_some() {}
        self.gathered()
    }

    /// Ends it now, and gives what is there: the legs that are under way are cancelled.
    pub fn stop(mut self) -> Gathered<K, T> {
        while let Ok(ended) = self.told.try_recv() {
            self.end(ended);
        }
        if self.over.is_none() {
            let ended = (&mut self.task).now_or_never();
            self.over = Some(ended.map_or_else(|| self.began.elapsed(), |ended| self.over(ended)));
        }
        while self.cancel_next().is_some() {}
        self.gathered()
    }

    /// The legs that have not been told yet, as they end.
    pub fn into_stream(self) -> Legs<K, T> {
        Legs(self)
    }

    /// How long after its start it ends at the latest.
    pub fn deadline(&self) -> Duration {
        self.deadline
    }

    /// The keys of the legs, in their order.
    pub fn keys(&self) -> impl Iterator<Item = &K> {
        self.legs.iter().filter_map(|place| match place {
            Place::Open(key) | Place::Ended(Leg { key, .. }) => Some(key),
            Place::Taken => None,
        })
    }

    fn gathered(self) -> Gathered<K, T> {
        let legs = self.legs.into_iter().filter_map(|place| match place {
            Place::Ended(leg) => Some(leg),
            Place::Open(_) | Place::Taken => None,
        });
        let elapsed = self.over.unwrap_or_default();
        Gathered { legs: legs.collect(), completion: self.completion, deadline: self.deadline, elapsed }
    }

    fn poll_next_place(&mut self, cx: &mut Context<'_>) -> Poll<Option<usize>> {
        if let Some(ended) = ready!(self.told.poll_recv(cx)) {
            return Poll::Ready(Some(self.end(ended)));
        }
        if self.over.is_none() {
            let ended = ready!(Pin::new(&mut self.task).poll(cx));
            self.over = Some(self.over(ended));
        }
        Poll::Ready(self.cancel_next())
    }

    /// When it was over, as its task says.
    fn over(&self, ended: Result<Duration, JoinError>) -> Duration {
        match ended {
            Ok(over) => over,
            // A judge has panicked: that is for whoever wrote it.
            Err(error) if error.is_panic() => resume_unwind(error.into_panic()),
            // The runtime is shutting down.
            Err(_) => self.began.elapsed(),
        }
    }

    fn end(&mut self, Ended { place, outcome, at }: Ended<T>) -> usize {
        if let Place::Open(key) = std::mem::replace(&mut self.legs[place], Place::Taken) {
            self.legs[place] = Place::Ended(Leg { key, outcome, at });
        }
        place
    }

    /// The next leg that had not ended when the gather was over.
    fn cancel_next(&mut self) -> Option<usize> {
        let open = self.legs[self.all_told..].iter().position(|place| matches!(place, Place::Open(_)))?;
        self.all_told += open;
        let at = self.over.unwrap_or_default();
        Some(self.end(Ended { place: self.all_told, outcome: Outcome::Cancelled, at }))
    }
}

/// The legs of a [`Gathering`], as they end.
#[must_use = "a gather that is dropped ends"]
pub struct Legs<K, T>(Gathering<K, T>);

/// Nothing of it is pinned where it stands.
impl<K, T> Unpin for Legs<K, T> {}

impl<K, T: Send + 'static> Stream for Legs<K, T> {
    type Item = Leg<K, T>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Some(place) = ready!(self.0.poll_next_place(cx)) else { return Poll::Ready(None) };
        match std::mem::replace(&mut self.0.legs[place], Place::Taken) {
            Place::Ended(leg) => Poll::Ready(Some(leg)),
            Place::Open(_) | Place::Taken => Poll::Ready(None),
        }
    }
}

impl<K, T> fmt::Debug for Gathering<K, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ended = self.legs.iter().filter(|place| !matches!(place, Place::Open(_))).count();
        f.debug_struct("Gathering")
            .field("ended", &ended)
            .field("of", &self.legs.len())
            .field("completion", &self.completion)
            .field("deadline", &self.deadline)
            .finish_non_exhaustive()
    }
}

impl<K, T> fmt::Debug for Legs<K, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Legs").field(&self.0).finish()
    }
}
