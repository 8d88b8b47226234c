//! The app: one cycle through sensor and worker each second, and what came of it.
//!
//! | It is asked | and answers |
//! |---|---|
//! | `GET /cycles` | 200 and the latest 100 cycles, newest first, each as far as it came |
//!
//! By calls, this is the one place that knows the workflow. It starts before the others, waits for them, and goes on by
//! itself when they come, come back, or are somewhere else. By messages it only takes what comes out at the end.

mod args;
mod cycles;

use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use mainstay::contracts::sensors::{App, Cycle, Cycles, Measure, Sensor, Square, Squared, Worker};
use mainstay::{Address, Call as _, Client, Error, serve};
use mainstay_messaging::{Delivery, Messages};
use tokio::net::TcpListener;
use tokio::time::{MissedTickBehavior, interval};

pub use self::args::Args;
use self::cycles::Latest;
use super::topics::SQUARED;
use crate::clock::now_ms;
use crate::instance::{self, Who};

/// Results of messages that are taken at once.
const AT_ONCE: usize = 16;

/// What the app must know.
#[derive(Debug, Clone)]
pub struct Config {
    /// How it comes to its cycles.
    pub flow: Flow,
    /// Where the registry is. It may be away.
    pub registry: Address,
}

/// How readings become results.
#[derive(Debug, Clone)]
pub enum Flow {
    /// The app asks a sensor and then a worker, this often.
    Calls(Duration),
    /// Sensors and workers tell what they have; the app takes results from here.
    Messages(Messages),
}

/// Goes through its cycles until `shutdown` resolves, registered as `app-<port>`, and tells of them on `listener`.
///
/// # Errors
/// When the listener has no address to be found at.
pub async fn run(config: Config, listener: TcpListener, shutdown: impl Future<Output = ()>) -> io::Result<()> {
    let shutdown = shutdown.shared();
    let Config { flow, registry } = config;
    let latest = Arc::new(Latest::default());
    let shown = Arc::clone(&latest);
    let router = instance::router().route(
        Cycles::ROUTE,
        serve::call(move |Cycles {}| {
            let shown = shown.newest_first();
            async { Ok(shown) }
        }),
    );
    let who = Who { id: format!("app-{}", listener.local_addr()?.port()), number: None, registry: registry.clone() };
    let serving = instance::serve::<App>(who, listener, router, shutdown.clone());
    let working = async {
        match flow {
            Flow::Calls(every) => {
                let callers = Callers::new(&registry).map_err(io::Error::other)?;
                tokio::select! {
                    () = callers.go(every, &latest) => {}
                    () = shutdown.clone() => {}
                }
            }
            Flow::Messages(messages) => {
                let take = move |delivery: Arc<Delivery<Squared>>| {
                    latest.end(taken(&delivery.message));
                    async { Ok(()) }
                };
                SQUARED.consume(&messages, AT_ONCE, take, shutdown.clone()).await;
            }
        }
        Ok(())
    };
    let (served, worked): (_, io::Result<()>) = tokio::join!(serving, working);
    served.and(worked)
}

struct Callers {
    sensor: Client<Sensor>,
    worker: Client<Worker>,
}

impl Callers {
    fn new(registry: &Address) -> Result<Self, mainstay::BuildError> {
        let sensor = Client::builder().registry(registry.clone()).build()?;
        let worker = Client::builder().registry(registry.clone()).build()?;
        Ok(Self { sensor, worker })
    }

    /// One cycle after the other, for ever.
    async fn go(&self, every: Duration, latest: &Latest) {
        let mut ticks = interval(every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let mut cycle = Cycle { number: 0, at_ms: now_ms(), measured: None, squared: None, reason: None };
            cycle.reason = self.cycle(&mut cycle).await.err().map(|error| why(&error));
            latest.end(cycle);
        }
    }

    async fn cycle(&self, cycle: &mut Cycle) -> Result<(), Error> {
        let measured = self.sensor.call(Measure {}).await?;
        let values = measured.value.to_vec();
        cycle.measured = Some((measured.instance.id.to_string(), values.clone()));
        let squared = self.worker.call(Square { values }).await?;
        cycle.squared = Some((squared.instance.id.to_string(), squared.value));
        Ok(())
    }
}

/// An error, and what is behind it.
fn why(error: &Error) -> String {
    let mut why = error.to_string();
    let mut behind = std::error::Error::source(error);
    while let Some(error) = behind {
        why.push_str(&format!(": {error}"));
        behind = error.source();
    }
    why
}

/// What came by message is a whole cycle.
fn taken(squared: &Squared) -> Cycle {
    let Squared { reading, squares, worker } = squared.clone();
    let measured = Some((reading.sensor, reading.values.to_vec()));
    Cycle { number: 0, at_ms: now_ms(), measured, squared: Some((worker, squares.to_vec())), reason: None }
}
