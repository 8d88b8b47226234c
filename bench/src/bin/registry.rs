//! The registry beside etcd and Redis: `registry --help`.

use std::process::ExitCode;

use clap::Parser;
use mainstay_bench::registry::{self, Options};
use tikv_jemallocator::Jemalloc;

/// That of the registry's own program, as this is the registry too.
#[global_allocator]
static ALLOCATOR: Jemalloc = Jemalloc;

fn main() -> ExitCode {
    match registry::run(&Options::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("registry: {error}");
            ExitCode::FAILURE
        }
    }
}
