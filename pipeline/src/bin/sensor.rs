//! Measures until ^C or SIGTERM.

use std::process::ExitCode;

use clap::Parser as _;
use pipeline::sensors::sensor::Args;

#[tokio::main]
async fn main() -> ExitCode {
    Args::parse().start().await
}
