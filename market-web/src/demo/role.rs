//! A child process of the demo, from its own side.

use std::io::{self, Read as _};
use std::time::Duration;

use auction::bidder::{self, Bidder};
use auction::provider::{self, Manner, Provider};
use auction::quotes;
use futures_util::future::select;
use mainstay::serve;
use mainstay_messaging::{Messages, hub};
use mainstay_records::Records;
use pipeline::sensors::app::{self, Flow};
use pipeline::sensors::{sensor, worker};
use pipeline::tasks::{backend, events, frontend};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tracing::level_filters::LevelFilter;

use super::args::{Hidden, Role, Seat};

/// How long a request for quotes is open: as long as somebody watches it.
const OPEN_FOR: Duration = Duration::from_secs(12);

/// How often a provider is silent, and how long an answer takes at most. So most have answered when a request closes.
const SILENCE: f64 = 0.2;
const SLOWEST: Duration = Duration::from_secs(6);

/// How often the sensor measures, and the app asks it and then a worker.
const MEASURES: Duration = Duration::from_secs(1);

/// Plays a role until a signal says to end, or the demo is gone.
pub(super) async fn play(Hidden::Role(role): Hidden) -> io::Result<()> {
    die_with_parent()?;
    // The console is the Market's, and that a registry is away is part of the story: only errors are said here.
    let (stderr, _log) = tracing_appender::non_blocking(io::stderr());
    tracing_subscriber::fmt().with_max_level(LevelFilter::ERROR).with_writer(stderr).init();
    let signals = serve::ended()?;
    let shutdown = async {
        select(Box::pin(signals), Box::pin(lifeline())).await;
    };
    let listener = TcpListener::bind(role.listen()).await?;
    match role {
        Role::Registry { .. } => mainstay_registry::run(mainstay_registry::Config::default(), listener, shutdown).await,
        Role::Ratings(Seat { instance, registry, .. }) => {
            ratings_service::run(ratings_service::Config { number: instance, registry }, listener, shutdown).await
        }
        Role::Bidders { seat: Seat { instance, registry, .. }, manner, delay } => {
            let bidder = Bidder { manner, delay: delay.into(), ..Bidder::new(instance) };
            bidder::run(bidder::Config { registry, bidders: vec![bidder] }, listener, shutdown).await
        }
        Role::Auction(Seat { registry, .. }) => auction::run(auction::Config { registry }, listener, shutdown).await,
        Role::Hub(Seat { registry, data, .. }) => {
            let config = hub::Config::new(data.join("hub"), registry);
            hub::run(config, listener, shutdown).await.map_err(io::Error::other)
        }
        Role::Providers(seat) => {
            let manner = Manner { silence: SILENCE, delay: Duration::ZERO..=SLOWEST, seed: 0 };
            let providers = vec![Provider { number: seat.instance, manner }];
            let messages = messages(&seat).await?;
            provider::run(provider::Config { registry: seat.registry, messages, providers }, listener, shutdown).await
        }
        Role::Quotes(seat) => {
            let messages = messages(&seat).await?;
            let records = records(&seat, "quotes", &messages).await?;
            let config = quotes::Config { registry: seat.registry, messages, records, open_for: OPEN_FOR };
            quotes::run(config, listener, shutdown).await
        }
        Role::Backends { seat, delay } => {
            let messages = messages(&seat).await?;
            let Seat { instance: number, registry, .. } = seat;
            backend::run(backend::Config { number, delay: delay.into(), registry, messages }, listener, shutdown).await
        }
        Role::Tasks(seat) => {
            let messages = messages(&seat).await?;
            frontend::run(frontend::Config { registry: seat.registry, messages }, listener, shutdown).await
        }
        Role::Events(seat) => {
            let messages = messages(&seat).await?;
            let records = records(&seat, "tasks", &messages).await?;
            events::run(events::Config { registry: seat.registry, messages, records }, listener, shutdown).await
        }
        Role::Sensor(seat) => {
            let messages = messages(&seat).await?;
            let Seat { instance: number, registry, .. } = seat;
            sensor::run(sensor::Config { number, every: MEASURES, registry, messages }, listener, shutdown).await
        }
        Role::Worker(seat) => {
            let messages = messages(&seat).await?;
            let Seat { instance: number, registry, .. } = seat;
            worker::run(worker::Config { number, delay: Duration::ZERO, registry, messages }, listener, shutdown).await
        }
        Role::App(Seat { registry, .. }) => {
            app::run(app::Config { flow: Flow::Calls(MEASURES), registry }, listener, shutdown).await
        }
    }
}

/// Those that the hub keeps. It may come later.
async fn messages(seat: &Seat) -> io::Result<Messages> {
    Messages::open(&format!("hub://{}", seat.registry.authority())).await.map_err(io::Error::other)
}

/// Records of the demo's own, in its directory.
async fn records(seat: &Seat, name: &str, messages: &Messages) -> io::Result<Records> {
    let path = seat.data.join(format!("{name}.db"));
    Records::open(&format!("sqlite:{}", path.display()), messages.clone()).await.map_err(io::Error::other)
}

/// Resolves when standard input closes: the demo holds its other end, and has ended.
///
/// It is read by a thread of its own. A blocking read of the runtime would keep the runtime from ending.
async fn lifeline() {
    let (cut, wait) = oneshot::channel();
    std::thread::spawn(move || {
        let mut byte = [0];
        while io::stdin().read(&mut byte).is_ok_and(|read| read > 0) {}
        // Nobody waits when the role has ended otherwise.
        let _ = cut.send(());
    });
    let _ = wait.await;
}

/// A paused process does not notice that its lifeline is cut. On Linux the kernel can end it all the same.
fn die_with_parent() -> io::Result<()> {
    #[cfg(target_os = "linux")]
    rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL))?;
    Ok(())
}
