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

#[cfg(test)]
mod tests {
    use hyper_util::rt::TokioIo;

    use super::*;
    use crate::testing::{Answer, Network, SimulatedInstance};
    use crate::transport::Socket;

    struct World {
        network: Network,
        instance: SimulatedInstance,
        idle: Idle,
    }

    impl World {
        fn new() -> Self {
            let network = Network::new();
            let instance = network.instance("10.0.0.1:80", |_| Answer::ok(""));
            Self { network, instance, idle: Idle::default() }
        }

        async fn connect(&self) -> Box<Connection> {
            let address = self.instance.address();
            let socket = self.network.connect(address.authority(), address.path()).await.unwrap();
            let socket = Socket::Simulated(TokioIo::new(socket));
            let mut connection = Connection::new(socket, &address, None).await.unwrap();
            assert!(connection.is_open());
            connection
        }

        /// How many are kept after this was done, and no other is left open.
        async fn kept(&self) -> usize {
            // The instance sees what was closed when it has had its turn.
            tokio::task::yield_now().await;
            let kept = self.idle.0.lock().len();
            assert_eq!(self.instance.connections(), kept as u64);
            kept
        }
    }

    #[tokio::test(start_paused = true)]
    async fn no_more_are_kept_than_the_limit() {
        let world = World::new();
        for nth in 1..=LIMIT + 2 {
            world.idle.put(world.connect().await);
            assert_eq!(world.kept().await, nth.min(LIMIT));
        }
        world.idle.close();
        assert_eq!(world.kept().await, 0);
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_is_not_used_is_closed_when_it_was_looked_after_for_long() {
        let world = World::new();
        world.idle.put(world.connect().await);
        for _ in 0..3 {
            for _ in 0..TENDED_LIMIT {
                world.idle.tend();
                assert_eq!(world.kept().await, 1);
            }
            // It is used, and so it counts from the beginning.
            world.idle.put(world.idle.take(runtime::Handle::current().id()).unwrap());
        }
        for left in [1, 1, 0] {
            world.idle.tend();
            assert_eq!(world.kept().await, left);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_broke_is_closed_at_the_next_look() {
        let world = World::new();
        world.idle.put(world.connect().await);
        assert_eq!(world.kept().await, 1);
        world.instance.kill();
        tokio::task::yield_now().await;
        world.idle.tend();
        assert_eq!(world.kept().await, 0);
    }
}
