//! Runs the Market until ^C or SIGTERM.

use std::process::ExitCode;

use clap::Parser as _;
use market_web::{Args, start};

#[tokio::main]
#[expect(clippy::print_stderr, reason = "why a program ends is said on its standard error")]
async fn main() -> ExitCode {
    match start(Args::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("market-web: {error}");
            ExitCode::FAILURE
        }
    }
}
