//! What changes, for pages that follow it.

use std::fmt;
use std::sync::Arc;

use tokio::sync::broadcast::{self, error::RecvError};

/// How many changes a slow reader may be behind.
const KEPT: usize = 1024;

/// What this process changes, from the moment it was asked for.
pub struct Changes(broadcast::Receiver<Arc<str>>);

/// Something was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Of the record of this id.
    Of(Arc<str>),
    /// Of so many records that they are not told one by one: whoever shows some looks at all of them again.
    Many,
}

impl Changes {
    /// The next change; `None` when the records are not open any more.
    ///
    /// Cancel safe.
    pub async fn next(&mut self) -> Option<Change> {
        match self.0.recv().await {
            Ok(id) => Some(Change::Of(id)),
            Err(RecvError::Lagged(_)) => Some(Change::Many),
            Err(RecvError::Closed) => None,
        }
    }
}

impl fmt::Debug for Changes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Changes").finish_non_exhaustive()
    }
}

/// Tells changes to whoever follows them.
#[derive(Debug)]
pub(crate) struct Teller(broadcast::Sender<Arc<str>>);

impl Teller {
    pub(crate) fn new() -> Self {
        Self(broadcast::channel(KEPT).0)
    }

    pub(crate) fn changed(&self, id: &str) {
        if self.0.receiver_count() > 0 {
            // The last reader may have left meanwhile.
            let _ = self.0.send(id.into());
        }
    }

    pub(crate) fn follow(&self) -> Changes {
        Changes(self.0.subscribe())
    }
}
