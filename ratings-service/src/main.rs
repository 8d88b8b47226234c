//! Runs instances of the ratings service until ^C or SIGTERM.

use std::error::Error;
use std::io::{self, IsTerminal as _};
use std::process::ExitCode;

use clap::Parser;
use futures_util::FutureExt as _;
use mainstay::serve;
use ratings_service::{Args, run, take_ports};
use tokio::task::JoinSet;
use tracing_subscriber::EnvFilter;

#[tokio::main]
#[expect(clippy::print_stderr, reason = "why a program ends is said on its standard error")]
async fn main() -> ExitCode {
    let filter = EnvFilter::builder().with_default_directive(tracing::Level::INFO.into()).from_env_lossy();
    let colours = io::stderr().is_terminal();
    // Through a thread of its own: no rating waits for a terminal that nobody reads.
    let (stderr, _guard) = tracing_appender::non_blocking(io::stderr());
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(stderr).with_ansi(colours).init();
    match start(&Args::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("ratings-service: {error}");
            ExitCode::FAILURE
        }
    }
}

#[expect(clippy::print_stdout, reason = "where the instances listen is what this program has to say")]
async fn start(args: &Args) -> Result<(), Box<dyn Error>> {
    let ended = serve::ended()?.shared();
    let mut instances = JoinSet::new();
    for (config, listener) in take_ports(args.plans()?).await? {
        println!("ratings instance {} on http://{}", config.number, listener.local_addr()?);
        instances.spawn(run(config, listener, ended.clone()));
    }
    while let Some(instance) = instances.join_next().await {
        instance??;
    }
    Ok(())
}
