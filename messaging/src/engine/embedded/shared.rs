//! The core as the engine's tasks and its writer share it: one lock, never held while the disk is waited for.

use std::future::pending;

use parking_lot::Mutex;
use tokio::sync::{Notify, mpsc};
use tokio::time::{Instant, sleep_until};

use super::core::Core;
use super::writer::Command;

#[derive(Debug)]
pub(super) struct Shared {
    core: Mutex<Core>,
    /// Says that something is due earlier than the keeper believes.
    earlier: Notify,
}

impl Shared {
    pub(super) fn new(core: Core) -> Self {
        Self { core: Mutex::new(core), earlier: Notify::new() }
    }

    pub(super) fn with<T>(&self, act: impl FnOnce(&mut Core) -> T) -> T {
        let mut core = self.core.lock();
        let done = act(&mut core);
        if core.is_earlier() {
            self.earlier.notify_one();
        }
        done
    }

    /// Makes ready again what is due, as soon as it is. Ends when the writer has.
    pub(super) async fn keep(&self, writer: mpsc::Sender<Command>) {
        loop {
            let due = self.core.lock().next_due();
            tokio::select! {
                () = sleep(due) => {
                    let changes = self.core.lock().expire(Instant::now());
                    if !changes.is_empty() && writer.send(Command::Expired { changes }).await.is_err() {
                        return;
                    }
                }
                () = self.earlier.notified() => {}
            }
        }
    }
}

async fn sleep(until: Option<Instant>) {
    match until {
        Some(until) => sleep_until(until).await,
        None => pending().await,
    }
}
