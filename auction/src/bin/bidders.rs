//! Runs bidders until ^C or SIGTERM.

use std::process::ExitCode;

use auction::bidder::Args;
use clap::Parser as _;

#[tokio::main]
async fn main() -> ExitCode {
    Args::parse().start().await
}
