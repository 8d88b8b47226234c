//! The program that serves.

use std::error::Error;
use std::io::{self, IsTerminal};
use std::process::ExitCode;

use mainstay_registry::Opened;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

use crate::args::Serve;

/// Serves until ^C or SIGTERM.
#[expect(clippy::print_stderr, reason = "why a program ends is said on its standard error")]
pub(crate) async fn serve(args: &Serve) -> ExitCode {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("warn"));
    let colours = io::stderr().is_terminal();
    // Through a thread of its own: no answer waits for a terminal that nobody reads.
    let (stderr, _guard) = tracing_appender::non_blocking(io::stderr());
    tracing_subscriber::fmt().with_env_filter(filter).with_ansi(colours).with_writer(stderr).init();
    match until_ended(args).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("mainstay-registry: {}", whole(&*error));
            ExitCode::FAILURE
        }
    }
}

#[expect(clippy::print_stdout, reason = "where it listens is what this program has to say")]
async fn until_ended(args: &Serve) -> Result<(), Box<dyn Error>> {
    allow_connections();
    let (listener, dns) = (args.listener().await?, args.dns().await?);
    let mut opened = Opened::new(args.config(listener.local_addr()?)?).await?;
    // Both are caught before anybody can know that the program runs.
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    println!("registry on {}://{}", args.scheme(), listener.local_addr()?);
    if let Some((socket, names)) = dns {
        println!("DNS on {}", names.local_addr()?);
        opened = opened.with_dns(socket, names);
    }
    let shutdown = async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    };
    // As a task, which the threads that serve run as well: on the main thread, each change would wake that one and be
    // woken by it.
    Ok(tokio::spawn(opened.run(listener, shutdown)).await??)
}

/// As many connections as the system lets it have: shells mostly allow for a thousand, and leave more to be asked for.
fn allow_connections() {
    let limit = getrlimit(Resource::Nofile);
    // Where that is not to be had, there are as many as there were.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit });
}

/// An error with what is behind it, in one line.
fn whole(error: &dyn Error) -> String {
    let behind = error.source().map(|error| format!(": {}", whole(error)));
    format!("{error}{}", behind.unwrap_or_default())
}
