//! Keeps messages until ^C or SIGTERM.

use std::process::ExitCode;

use clap::Parser as _;
use mainstay_messaging::hub::Args;

#[tokio::main]
async fn main() -> ExitCode {
    Args::parse().start().await
}
