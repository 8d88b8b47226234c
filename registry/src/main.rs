//! `mainstay-registry`: serves the registry until it is told to stop.

mod args;

use std::io::{self, IsTerminal};
use std::process::ExitCode;

use clap::Parser;
use mainstay_registry::{Config, run};
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

#[tokio::main]
#[expect(clippy::print_stdout, clippy::print_stderr, reason = "this is the program's own voice")]
async fn main() -> ExitCode {
    let args = args::Args::parse();
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("warn"));
    let colours = io::stderr().is_terminal();
    // Through a thread of its own: no answer waits for a terminal that nobody reads.
    let (stderr, _guard) = tracing_appender::non_blocking(io::stderr());
    tracing_subscriber::fmt().with_env_filter(filter).with_ansi(colours).with_writer(stderr).init();
    let listener = match args.listener().await {
        Ok(listener) => listener,
        Err(reason) => {
            eprintln!("mainstay-registry: {reason}");
            return ExitCode::FAILURE;
        }
    };
    let served = async {
        // Both are caught before anybody can know that the program runs.
        let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
        println!("registry on http://{}", listener.local_addr()?);
        let shutdown = async move {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
        };
        run(Config::default(), listener, shutdown).await
    };
    match served.await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("mainstay-registry: {error}");
            ExitCode::FAILURE
        }
    }
}
