//! Messages beside Redis Streams and NATS JetStream: `messages --help`.

use std::process::ExitCode;

use clap::Parser;
use mainstay_bench::messages::{self, Options};

fn main() -> ExitCode {
    match messages::run(&Options::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("messages: {error}");
            ExitCode::FAILURE
        }
    }
}
