//! Runs the Market with everything it needs until ^C or SIGTERM.

use std::process::ExitCode;

use clap::Parser as _;
use market_web::demo::{Args, run};

#[tokio::main]
#[expect(clippy::print_stderr, reason = "why a program ends is said on its standard error")]
async fn main() -> ExitCode {
    match run(Args::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("demo: {error}");
            ExitCode::FAILURE
        }
    }
}
