//! Where messages go in tests: a post that keeps what it takes, and takes what it is told to.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use mainstay_messaging::Envelope;
use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::time::timeout;

use crate::relay::{NotTaken, Outlet};

type Manner = Box<dyn Fn(&Envelope) -> Result<(), NotTaken> + Send>;

#[derive(Clone)]
pub(super) struct Post(Arc<Inner>);

struct Inner {
    manner: Mutex<Manner>,
    taken: Mutex<Vec<Envelope>>,
    came: Notify,
}

impl Post {
    /// Takes everything.
    pub(super) fn new() -> Self {
        Self(Arc::new(Inner { manner: Mutex::new(Box::new(|_| Ok(()))), taken: Mutex::default(), came: Notify::new() }))
    }

    /// From now on takes only what this takes.
    pub(super) fn takes(&self, manner: impl Fn(&Envelope) -> Result<(), NotTaken> + Send + 'static) {
        *self.0.manner.lock() = Box::new(manner);
    }

    pub(super) fn outlet(&self) -> Outlet {
        let this = self.clone();
        Arc::new(move |envelope| {
            let answer = (this.0.manner.lock())(&envelope);
            if answer.is_ok() {
                this.0.taken.lock().push(envelope);
                this.0.came.notify_waiters();
            }
            async { answer }.boxed()
        })
    }

    pub(super) fn taken(&self) -> Vec<Envelope> {
        self.0.taken.lock().clone()
    }

    pub(super) fn ids(&self) -> Vec<String> {
        self.taken().into_iter().map(|envelope| envelope.id).collect()
    }

    /// What was taken, once it is so much.
    pub(super) async fn has(&self, count: usize) -> Vec<Envelope> {
        let has = async {
            loop {
                let came = self.0.came.notified();
                match self.taken() {
                    taken if taken.len() >= count => return taken,
                    _ => came.await,
                }
            }
        };
        timeout(Duration::from_secs(20), has).await.unwrap_or_else(|_| panic!("{:?} is less than {count}", self.ids()))
    }
}
