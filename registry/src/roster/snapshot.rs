//! A service's list at one revision, shared by all who ask for it.

use std::sync::OnceLock;

use bytes::Bytes;
use mainstay_contracts::registry::{Listing, WatchFrame};

use crate::line::line;

/// A listing, and the watch line that says it: written once, by the first reader, outside of any lock.
#[derive(Debug)]
pub(crate) struct Snapshot {
    pub(crate) listing: Listing,
    line: OnceLock<Bytes>,
}

impl Snapshot {
    pub(super) fn new(listing: Listing) -> Self {
        Self { listing, line: OnceLock::new() }
    }

    /// The listing as the line of a watch stream.
    pub(crate) fn line(&self) -> Bytes {
        self.line.get_or_init(|| line(&WatchFrame::Snapshot(self.listing.clone()))).clone()
    }
}
