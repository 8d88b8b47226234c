//! `mainstay-registry`: serves the registry until it is told to stop, or asks one that runs.

mod args;
mod command;
mod program;

use std::process::ExitCode;

use clap::Parser;

#[tokio::main]
async fn main() -> ExitCode {
    let args = args::Args::parse();
    match args.command {
        Some(command) => command.run().await,
        None => program::serve(&args.serve).await,
    }
}
