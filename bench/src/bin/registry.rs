//! The registry beside etcd and Redis: `registry --help`.

use std::process::ExitCode;

use clap::Parser;
use mainstay_bench::registry::{self, Options};

fn main() -> ExitCode {
    match registry::run(&Options::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("registry: {error}");
            ExitCode::FAILURE
        }
    }
}
