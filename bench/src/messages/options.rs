//! The command line.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Parser, Subcommand};

/// Publishes and asks by messages, with Mainstay's hub, Redis Streams and NATS JetStream in turn
///
/// Every side gets a slice of time in each round, in an order that rotates; ratios are taken within a round. All servers
/// are started for this, on free ports and in temporary directories, and ended with it. A server that is not installed is
/// left out.
#[derive(Debug, Parser)]
#[command(name = "messages", args_conflicts_with_subcommands = true, disable_help_subcommand = true)]
pub struct Options {
    #[command(subcommand)]
    pub(crate) part: Option<Part>,

    /// Rounds that are measured, after one to warm up
    #[arg(long, value_name = "COUNT", default_value_t = 9)]
    pub(crate) rounds: usize,

    /// What each side gets of a round, in milliseconds
    #[arg(long, value_name = "MS", default_value_t = 300, value_parser = clap::value_parser!(u64).range(1..=60_000))]
    pub(crate) slice: u64,

    /// Tasks that publish or ask at once, two tables for each number
    #[arg(long, value_name = "COUNTS", value_delimiter = ',', default_value = "1,64", value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub(crate) callers: Vec<u16>,

    /// The NATS server: 2.10 or newer, as older ones cannot write every message to the disk
    #[arg(long, value_name = "FILE", default_value = "nats-server")]
    pub(crate) nats: PathBuf,

    /// The Redis server
    #[arg(long, value_name = "FILE", default_value = "redis-server")]
    pub(crate) redis: PathBuf,
}

/// What this program is to its own children.
#[derive(Debug, Subcommand)]
pub(crate) enum Part {
    /// Become a program that ends with its parent
    #[command(hide = true)]
    Keep {
        parent: i32,
        #[arg(last = true)]
        program: Vec<OsString>,
    },
    /// Be the registry
    #[command(hide = true)]
    Registry { port: u16 },
    /// Be the hub
    #[command(hide = true)]
    Hub { port: u16, data: PathBuf, registry: String },
}

impl Options {
    /// What is measured, in a few words.
    pub(crate) fn setting(&self, cores: usize) -> String {
        format!(
            "{cores} cores, shared by callers, worker and server. Messages of {} bytes over loopback, {} rounds, slices of \
             {} ms in rotating order.{}",
            super::side::BODY,
            self.rounds,
            self.slice,
            if cfg!(debug_assertions) { " A debug build: no figure counts." } else { "" },
        )
    }
}
