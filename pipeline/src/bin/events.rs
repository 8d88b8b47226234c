//! Keeps a record of every task until ^C or SIGTERM.

use std::process::ExitCode;

use clap::Parser as _;
use pipeline::tasks::events::Args;

#[tokio::main]
async fn main() -> ExitCode {
    Args::parse().start().await
}
