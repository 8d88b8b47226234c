//! A few connections that everybody shares, and that are made again when they have ended.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::Mutex;
use tokio_postgres::Config;

use super::connection::Connection;
use super::deadline;
use crate::Error;

/// A server whose machine has gone does not say so.
const SILENT: Duration = Duration::from_secs(10);

pub(super) struct Pool {
    config: Arc<Config>,
    slots: Vec<Mutex<Option<Arc<Connection>>>>,
    next: AtomicUsize,
}

impl Pool {
    pub(super) fn new(mut config: Config, connections: usize) -> Self {
        config.tcp_user_timeout(SILENT).keepalives_idle(SILENT);
        if config.get_application_name().is_none() {
            config.application_name("mainstay-records");
        }
        let slots = std::iter::repeat_with(Mutex::default).take(connections).collect();
        Self { config: Arc::new(config), slots, next: AtomicUsize::new(0) }
    }

    pub(super) fn config(&self) -> Arc<Config> {
        Arc::clone(&self.config)
    }

    /// A connection, to be shared with others. Only who finds one that has ended waits for a new one.
    pub(super) async fn connection(&self) -> Result<Arc<Connection>, Error> {
        let turn = self.next.fetch_add(1, Ordering::Relaxed) % self.slots.len();
        let mut slot = self.slots[turn].lock().await;
        match &*slot {
            Some(connection) if !connection.is_closed() => Ok(Arc::clone(connection)),
            _ => Ok(Arc::clone(slot.insert(Arc::new(Connection::open(&self.config, deadline()).await?)))),
        }
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // What a configuration shows of itself has no password in it.
        f.debug_struct("Pool").field("config", &self.config).finish_non_exhaustive()
    }
}
