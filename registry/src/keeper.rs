//! Where batches are kept.

use std::sync::Arc;

use crate::kv;
#[cfg(feature = "etcd")]
use crate::replica::Keep;
use crate::roster::Batch;
use crate::store::Store;

/// What is kept at once.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    pub(crate) roster: Batch,
    pub(crate) kv: kv::Batch,
}

impl Changes {
    pub(crate) fn is_empty(&self) -> bool {
        self.roster.changes.is_empty() && self.roster.forgotten.is_empty() && self.kv.is_empty()
    }
}

#[derive(Debug)]
pub(crate) enum Keeper {
    Nowhere,
    Disk(Store),
    #[cfg(feature = "etcd")]
    Etcd(Keep),
}

/// Why a batch is not kept.
#[derive(Debug)]
pub(crate) enum Unkept {
    /// It may be tried again.
    Yet(String),
    /// It is not this process that changes anything.
    #[cfg(feature = "etcd")]
    Ever(String),
}

impl Unkept {
    /// Why it is not kept yet.
    ///
    /// # Errors
    /// When it never will be.
    pub(crate) fn yet(self) -> Result<String, String> {
        match self {
            Self::Yet(reason) => Ok(reason),
            #[cfg(feature = "etcd")]
            Self::Ever(reason) => Err(reason),
        }
    }
}

impl Keeper {
    /// Keeps a batch, up to a revision. What is tried again may have been kept already.
    pub(crate) async fn commit(&mut self, changes: &Arc<Changes>, revision: u64) -> Result<(), Unkept> {
        match self {
            Self::Nowhere => Ok(()),
            Self::Disk(store) => store.commit(changes, revision).await.map_err(Unkept::Yet),
            #[cfg(feature = "etcd")]
            Self::Etcd(keep) => keep.commit(changes, revision).await,
        }
    }

    /// Waits until what is kept is closed.
    pub(crate) async fn close(self) {
        if let Self::Disk(store) = self {
            store.close().await;
        }
    }
}
