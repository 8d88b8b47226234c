//! A lease connection: what it stands for is listed for as long as this value lives.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream};
use mainstay_contracts::registry::{HoldFrame, HoldLease, Register};
use tokio::time::{Instant, Interval, interval_at};

use super::Directory;
use crate::line::line;
use crate::roster::{Held, Refused};
use crate::standing::{Standing, Word};
use crate::writer::State;

/// Stands for a held instance, or a lease. Dropped, it takes off the list what it stands for, unless something newer is in
/// its place.
#[derive(Debug)]
pub(crate) struct Hold {
    directory: Arc<Directory>,
    held: Held,
    pub(crate) number: u64,
    first: HoldFrame,
    standing: Arc<Standing>,
    pub(crate) passed_on: Option<PassedOn>,
    /// Its process may not stand for it any more. That is no end of the process, so what it stands for has its lease's time.
    withdrawn: bool,
}

/// Says of a request that another replica stands between it and its client.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PassedOn;

impl Directory {
    /// Registers an instance for as long as the answer lives.
    pub(crate) async fn hold(self: &Arc<Self>, call: Register, passed_on: Option<PassedOn>) -> Result<Hold, Refused> {
        let held = Held::Instance(call.service.as_str().into(), call.id.clone());
        let directory = Arc::clone(self);
        let hold = self.change(move |state, now| {
            let (registered, number) = state.roster.hold(call, now)?;
            Ok(directory.stand_for(held, (number, passed_on), HoldFrame::Held(registered), state))
        });
        hold.await
    }

    /// Opens a lease, or takes it over, for as long as the answer lives.
    pub(crate) async fn hold_lease(
        self: &Arc<Self>,
        call: HoldLease,
        passed_on: Option<PassedOn>,
    ) -> Result<Hold, Refused> {
        let directory = Arc::clone(self);
        let hold = self.change(move |state, now| {
            let (instances, number) = state.roster.hold_lease(&call.lease, now);
            let (epoch, beat_every_ms) = (directory.views.epoch(), directory.beat_every_ms());
            let first = HoldFrame::Lease { epoch, instances, beat_every_ms };
            Ok(directory.stand_for(Held::Lease(call.lease), (number, passed_on), first, state))
        });
        hold.await
    }

    /// Made by the writer: should nobody wait for it any more, it is dropped as any other, and lets go.
    fn stand_for(
        self: Arc<Self>,
        held: Held,
        (number, passed_on): (u64, Option<PassedOn>),
        first: HoldFrame,
        state: &mut State,
    ) -> Hold {
        let standing = Arc::default();
        state.follow_hold(number, &standing);
        self.holds.fetch_add(1, Ordering::Relaxed);
        #[cfg(feature = "etcd")]
        if passed_on.is_some() {
            self.passed_on.lock().insert(number, held.clone());
        }
        Hold { directory: self, held, number, first, standing, passed_on, withdrawn: false }
    }
}

impl Hold {
    /// The lines of the stream, which ends when it does not `stand` any more: that is asked before every line. A client that
    /// goes away drops it, and with it the lease.
    pub(crate) fn lines(self, stands: impl FnMut() -> bool + Send + 'static) -> impl Stream<Item = Bytes> {
        let every = self.directory.config.bookmark_every;
        let bookmarks = interval_at(Instant::now() + every, every);
        let first = line(&self.first);
        let rest = stream::unfold(Some((self, bookmarks, stands)), |state| async {
            let (mut hold, mut bookmarks, mut stands) = state?;
            let frame = hold.next(&mut bookmarks).await?;
            if !stands() {
                hold.withdrawn = true;
                return None;
            }
            match frame {
                frame @ (HoldFrame::Bookmark | HoldFrame::Replaced { .. }) => {
                    Some((line(&frame), Some((hold, bookmarks, stands))))
                }
                last => Some((line(&last), None)),
            }
        });
        stream::iter([first]).chain(rest)
    }

    async fn next(&self, bookmarks: &mut Interval) -> Option<HoldFrame> {
        tokio::select! {
            biased;
            () = self.directory.stop.cancelled() => {
                Some(HoldFrame::Closing { return_in_ms: self.directory.return_in_ms() })
            }
            word = self.standing.next() => match word {
                Word::Replaced((service, id), incarnation) => {
                    Some(HoldFrame::Replaced { service: service.to_string(), id, incarnation })
                }
                // Without an incarnation, the instance is gone or a newer connection stands for it.
                Word::Ended(superseded_by) => superseded_by.map(|incarnation| HoldFrame::Superseded { incarnation }),
                // Another replica writes now.
                #[cfg(feature = "etcd")]
                Word::Away => Some(HoldFrame::Closing { return_in_ms: self.directory.return_in_ms() }),
            },
            _ = bookmarks.tick() => Some(HoldFrame::Bookmark),
        }
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.directory.holds.fetch_sub(1, Ordering::Relaxed);
        #[cfg(feature = "etcd")]
        self.directory.passed_on.lock().remove(&self.number);
        // When it is the registry that goes, the instances have not.
        if self.directory.stop.is_cancelled() {
            return;
        }
        // A replica in between that goes is not its client, of which it would have said so.
        let says = !self.withdrawn && self.passed_on.is_none();
        let (held, number) = (self.held.clone(), self.number);
        // What cannot be told now is found out when the lease stops beating.
        let _ = self.directory.ask(move |state, _| {
            state.let_go(&held, number, says);
            Box::new(|| {})
        });
    }
}
