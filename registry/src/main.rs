//! `mainstay-registry`: serves the registry until it is told to stop, or asks one that runs.

mod args;
mod command;
mod program;

use std::process::ExitCode;

use clap::Parser;

/// What a request needs is allocated on one thread, and freed on another as often as not. The system's allocator spends a
/// sixth of a registration on that, and has a third more memory for each watcher.
#[cfg(feature = "jemalloc")]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

#[tokio::main]
async fn main() -> ExitCode {
    let args = args::Args::parse();
    match args.command {
        Some(command) => command.run().await,
        None => program::serve(&args.serve).await,
    }
}
