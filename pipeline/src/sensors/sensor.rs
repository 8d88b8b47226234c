//! A sensor: measures when it is asked, and by itself from time to time.
//!
//! | It is asked | and answers |
//! |---|---|
//! | `GET /` | 200 `[7,0,4294967295]`: three numbers at random, others at each start |
//!
//! What it measures by itself it publishes as `sensor_values`. A reading that cannot be published is lost: the next one is
//! worth more.

mod args;

use std::future::Future;
use std::io;
use std::time::Duration;

use futures_util::FutureExt as _;
use mainstay::contracts::sensors::{Measure, Reading, Sensor};
use mainstay::{Address, Call as _, serve};
use mainstay_messaging::{Envelope, Messages};
use tokio::net::TcpListener;
use tokio::time::{MissedTickBehavior, interval};
use tracing::{info, warn};

pub use self::args::Args;
use super::topics::TO_SQUARE;
use crate::instance::{self, Who};

/// What a sensor must know.
#[derive(Debug, Clone)]
pub struct Config {
    /// Its own number, the same across restarts: it is registered as `sensor-<number>`.
    pub number: u32,
    /// How often it measures by itself.
    pub every: Duration,
    /// Where the registry is. It may be away.
    pub registry: Address,
    /// Where messages are kept.
    pub messages: Messages,
}

/// Measures until `shutdown` resolves, registered, and answers on `listener`.
///
/// # Errors
/// When the listener has no address to be found at.
pub async fn run(config: Config, listener: TcpListener, shutdown: impl Future<Output = ()>) -> io::Result<()> {
    let shutdown = shutdown.shared();
    let Config { number, every, registry, messages } = config;
    let id = format!("sensor-{number}");
    let who = Who { id: id.clone(), number: Some(number), registry };
    let router = instance::router().route(Measure::ROUTE, serve::call(async |Measure {}| Ok(measure())));
    let publishing = async {
        tokio::select! {
            () = publish(id, every, &messages) => {}
            () = shutdown.clone() => {}
        }
    };
    tokio::join!(instance::serve::<Sensor>(who, listener, router, shutdown.clone()), publishing).0
}

fn measure() -> [u32; 3] {
    [(); 3].map(|()| fastrand::u32(..))
}

/// Publishes what it measures, for ever.
async fn publish(sensor: String, every: Duration, messages: &Messages) {
    TO_SQUARE.declare(messages).await;
    let mut ticks = interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut was_lost = false;
    for number in 1.. {
        ticks.tick().await;
        let reading = Reading { sensor: sensor.clone(), number, values: measure() };
        let published = match Envelope::new(Messages::new_id(), &reading) {
            Ok(envelope) => TO_SQUARE.publish(messages, envelope).await.map_err(|error| error.to_string()),
            Err(error) => Err(error.to_string()),
        };
        match &published {
            Err(error) if !was_lost => warn!("readings are lost from number {number} on: {error}"),
            Ok(_) if was_lost => info!("readings are published again from number {number} on"),
            _ => {}
        }
        was_lost = published.is_err();
    }
}
