//! Whole calls over loopback, Mainstay beside other clients and proxies: `end-to-end --help`.

use std::process::ExitCode;

use clap::Parser;
use mainstay_bench::end_to_end::{self, Options};

fn main() -> ExitCode {
    match end_to_end::run(&Options::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("end-to-end: {error}");
            ExitCode::FAILURE
        }
    }
}
