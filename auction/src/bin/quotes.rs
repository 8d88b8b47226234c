//! Serves quotes until ^C or SIGTERM.

use std::process::ExitCode;

use auction::quotes::Args;
use clap::Parser as _;

#[tokio::main]
async fn main() -> ExitCode {
    Args::parse().start().await
}
