//! Connections that nobody uses now.

use parking_lot::Mutex;
use tokio::runtime;

use super::connection::Connection;

/// How many are kept.
const LIMIT: usize = 32;
/// How often one is looked after before it counts as unused for long.
const TENDED_LIMIT: u8 = 2;

#[derive(Debug, Default)]
pub(super) struct Idle(Mutex<Vec<Resting>>);

#[derive(Debug)]
struct Resting {
    connection: Box<Connection>,
    /// How often it was looked after since it was used.
    tended: u8,
}

impl Idle {
    /// The one that was used last in this runtime: it is the least likely to have been closed meanwhile.
    pub(super) fn take(&self, here: runtime::Id) -> Option<Box<Connection>> {
        let mut idle = self.0.lock();
        let last = idle.iter().rposition(|resting| resting.connection.is_of(here))?;
        Some(idle.remove(last).connection)
    }

    /// Keeps a connection, if it can be used again and there is room.
    pub(super) fn put(&self, mut connection: Box<Connection>) {
        if connection.rest() {
            let mut idle = self.0.lock();
            if idle.len() < LIMIT {
                idle.push(Resting { connection, tended: 0 });
            }
        }
    }

    /// Closes those that broke meanwhile, and those that were not used since this was called before the last time.
    pub(super) fn tend(&self) {
        let worn = |resting: &mut Resting| {
            resting.tended += 1;
            resting.tended > TENDED_LIMIT || !resting.connection.is_open()
        };
        // Closed after the lock is given back.
        let closed: Vec<_> = self.0.lock().extract_if(.., worn).collect();
        drop(closed);
    }

    pub(super) fn close(&self) {
        let closed = std::mem::take(&mut *self.0.lock());
        drop(closed);
    }
}
