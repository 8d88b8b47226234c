//! A child process of the demo, from its own side.

use std::io::{self, Read as _};
use std::time::Duration;

use auction::bidder::{self, Bidder};
use futures_util::future::select;
use mainstay::serve;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tracing::level_filters::LevelFilter;

use super::args::{Hidden, Role, Seat};

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
        Role::Bidders { seat: Seat { instance, registry, .. }, manner, delay_ms } => {
            let delay = Duration::from_millis(delay_ms);
            let bidder = Bidder { manner, delay, ..Bidder::new(instance) };
            bidder::run(bidder::Config { registry, bidders: vec![bidder] }, listener, shutdown).await
        }
        Role::Auction(Seat { registry, .. }) => auction::run(auction::Config { registry }, listener, shutdown).await,
    }
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
