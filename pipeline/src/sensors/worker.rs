//! A worker: squares numbers when it is asked, and the readings of sensors as they come by message.
//!
//! | It is asked | and answers |
//! |---|---|
//! | `POST /`, such as `[7,4294967295]` | 200 `[49,18446744065119617025]` |
//! | … with anything but a list of whole numbers from 0 to 4294967295 | 400 and the reason |
//!
//! Workers share the channel `workers` of `sensor_values`, and publish as `worker_result`. What a worker had begun when it
//! was killed is delivered again, to another one; whoever squares a reading twice tells so once.

mod args;

use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use mainstay::contracts::sensors::{Reading, Square, Squared, Worker};
use mainstay::{Address, Call as _, serve};
use mainstay_messaging::{Delivery, Envelope, Failed, Messages};
use tokio::net::TcpListener;
use tokio::time::sleep;

pub use self::args::Args;
use super::topics::TO_SQUARE;
use crate::instance::{self, Who};

/// Readings at once: one, so that workers get equal shares also of a few.
const AT_ONCE: usize = 1;

/// What a worker must know.
#[derive(Debug, Clone)]
pub struct Config {
    /// Its own number, the same across restarts: it is registered as `worker-<number>`.
    pub number: u32,
    /// How long it thinks before each reading, for others to see what becomes of a slow or killed one.
    pub delay: Duration,
    /// Where the registry is. It may be away.
    pub registry: Address,
    /// Where messages are kept.
    pub messages: Messages,
}

/// Squares until `shutdown` resolves, registered, and answers on `listener`.
///
/// # Errors
/// When the listener has no address to be found at.
pub async fn run(config: Config, listener: TcpListener, shutdown: impl Future<Output = ()>) -> io::Result<()> {
    let shutdown = shutdown.shared();
    let id = format!("worker-{}", config.number);
    let who = Who { id: id.clone(), number: Some(config.number), registry: config.registry };
    let router = instance::router()
        .route(Square::ROUTE, serve::call(async |call: Square| Ok(call.values.into_iter().map(square).collect())));
    let desk = Arc::new(Desk { id, delay: config.delay, messages: config.messages.clone() });
    let handle = move |delivery| Arc::clone(&desk).handle(delivery);
    let consuming = TO_SQUARE.consume(&config.messages, AT_ONCE, handle, shutdown.clone());
    tokio::join!(instance::serve::<Worker>(who, listener, router, shutdown.clone()), consuming).0
}

/// Exact: the largest square fits.
fn square(value: u32) -> u64 {
    u64::from(value).pow(2)
}

struct Desk {
    id: String,
    delay: Duration,
    messages: Messages,
}

impl Desk {
    async fn handle(self: Arc<Self>, delivery: Arc<Delivery<Reading>>) -> Result<(), Failed> {
        if !self.delay.is_zero() {
            sleep(self.delay).await;
        }
        let reading = delivery.message.clone();
        let squares = reading.values.map(square);
        let squared = Squared { reading, squares, worker: self.id.clone() };
        let envelope = Envelope::new(format!("squared-{}", delivery.id), &squared)?;
        match self.messages.publish(envelope).await {
            // Nobody has asked for results yet.
            Err(error) if error.is_unknown() => Ok(()),
            published => Ok(published.map(drop)?),
        }
    }
}
