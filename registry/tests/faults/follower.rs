//! Follows a service through everything, and knows at once when something is told that cannot be.

use std::sync::Arc;
use std::time::Duration;

use mainstay_registry::testing::{Expiry, Fold};
use parking_lot::Mutex;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};

use crate::client::Client;
use crate::process::SOON;

/// A watcher that comes back whenever its stream ends, until it is dropped.
pub(crate) struct Follower {
    fold: Arc<Mutex<Fold>>,
    task: JoinHandle<()>,
}

impl Follower {
    /// Holds what it is told against the `expiry`, if there is one, too.
    pub(crate) fn start(client: Client, fold: Fold, expiry: Option<&Arc<Mutex<Expiry>>>) -> Self {
        let fold = Arc::new(Mutex::new(fold));
        let task = tokio::spawn(follow(client, Arc::clone(&fold), expiry.cloned()));
        Self { fold, task }
    }

    /// What it has made of what it was told.
    pub(crate) fn look<T>(&self, look: impl FnOnce(&Fold) -> T) -> T {
        look(&self.fold.lock())
    }

    /// Waits until something is so.
    pub(crate) async fn until(&mut self, what: &str, is_so: impl Fn(&Fold) -> bool) {
        let reached = async {
            while !is_so(&self.fold.lock()) {
                sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::select! {
            reached = timeout(SOON, reached) => reached.unwrap_or_else(|_| panic!("not {what}")),
            ended = &mut self.task => panic!("a watcher was told what cannot be: {ended:?}"),
        }
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn follow(mut client: Client, fold: Arc<Mutex<Fold>>, expiry: Option<Arc<Mutex<Expiry>>>) {
    loop {
        let seen = fold.lock().seen();
        if let Some(mut frames) = client.watch(seen).await {
            fold.lock().begin();
            while let Some(frame) = frames.change().await {
                if let Some(expiry) = &expiry {
                    expiry.lock().saw(&frame, Instant::now());
                }
                fold.lock().take(frame);
            }
        }
        sleep(Duration::from_millis(5)).await;
    }
}
