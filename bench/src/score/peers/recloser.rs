//! Recloser: `AsyncRecloser::call` around the future, as its README shows.
//!
//! In a row: a ring of one less than the limit, for it looks at the rate with the call after the ring is full; all of
//! them must be failures. Half-open: a ring of one, the shortest there is. Window: a ring of the window's calls, at half
//! of them.

use std::sync::Arc;

use recloser::{AsyncRecloser, Error, Recloser};

use crate::score::peer::{Answer, Calling, Peer, Rules, Trip, WINDOW_CALLS, Work, within};

struct Guarded {
    breaker: AsyncRecloser,
    rules: Rules,
}

pub(super) fn build(rules: &Rules) -> Arc<dyn Peer> {
    let (ring, rate) = match rules.trip {
        Trip::InARow(limit) => (limit.saturating_sub(1).max(1), 1.0),
        Trip::Window => (WINDOW_CALLS, 0.5),
    };
    let breaker = Recloser::custom()
        .closed_len(ring as usize)
        .error_rate_closed(rate)
        .half_open_len(1)
        .open_wait(rules.retest_delay)
        .build();
    Arc::new(Guarded { breaker: AsyncRecloser::from(breaker), rules: *rules })
}

impl Peer for Guarded {
    fn call(&self, work: Work) -> Calling {
        let called = self.breaker.call(within(self.rules.timeout, work));
        Box::pin(async move {
            match called.await {
                Ok(()) => Answer::Done,
                Err(Error::Inner(_)) => Answer::Failed,
                Err(Error::Rejected) => Answer::Skipped,
            }
        })
    }
}
