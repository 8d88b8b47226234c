//! Serves auctions until ^C or SIGTERM, or asks the bidders once.

use std::process::ExitCode;

use auction::Args;
use clap::Parser as _;

#[tokio::main]
async fn main() -> ExitCode {
    Args::parse().start().await
}
