//! The command line.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

use super::versions::Versions;

/// Registers, watches, beats, dies and restarts, with Mainstay's registry beside etcd and Redis
///
/// Where there are sides, each gets a slice of time in every round, in an order that rotates; ratios are taken within a
/// round. All servers are started for this, on free ports and in temporary directories, and ended with it. A server that
/// is not installed is left out.
///
/// Takes about six minutes, and a machine with nothing else to do.
#[derive(Debug, Parser)]
#[command(name = "registry", args_conflicts_with_subcommands = true, disable_help_subcommand = true)]
pub struct Options {
    #[command(subcommand)]
    pub(crate) part: Option<Part>,

    /// What to measure
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    only: Vec<Measure>,

    /// Rounds that are measured, after one to warm up
    #[arg(long, value_name = "COUNT", default_value_t = 9, value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub(crate) rounds: u16,

    /// What each side gets of a round, in milliseconds
    #[arg(long, value_name = "MS", default_value_t = 500, value_parser = clap::value_parser!(u64).range(1..=60_000))]
    slice: u64,

    /// Who registers at once, one table for each number
    #[arg(long, value_name = "COUNTS", value_delimiter = ',', default_value = "1,64", value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub(crate) writers: Vec<u16>,

    /// Instances that beat, die, and are there after a restart
    #[arg(long, value_name = "COUNT", default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) instances: u32,

    /// Watchers of one service, and after a restart
    #[arg(long, value_name = "COUNT", default_value_t = 5_000, value_parser = clap::value_parser!(u32).range(1..=50_000))]
    pub(crate) watchers: u32,

    /// Changes that all watchers are told
    #[arg(long, value_name = "COUNT", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(crate) changes: u32,

    /// How often the registry is killed
    #[arg(long, value_name = "COUNT", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub(crate) kills: u32,

    /// How long the work of beats is looked at, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=600))]
    seconds: u64,

    /// The etcd server
    #[arg(long, value_name = "FILE", default_value = "etcd")]
    pub(crate) etcd: PathBuf,

    /// The Redis server
    #[arg(long, value_name = "FILE", default_value = "redis-server")]
    pub(crate) redis: PathBuf,
}

/// What can be measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Measure {
    /// Registrations a second, each acknowledged when it is on the disk
    Durable,
    /// From a registration to a watcher, while many instances beat
    Seen,
    /// One change told to thousands of watchers
    Watchers,
    /// What beats cost
    Beats,
    /// Many instances that stop beating at once
    Deaths,
    /// The registry killed, and everybody back
    Restart,
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
    Registry {
        port: u16,
        data: PathBuf,
        #[command(flatten)]
        rules: Rules,
    },
}

/// How a registry of this program behaves where it is not as by default.
#[derive(Debug, Clone, Args)]
pub(crate) struct Rules {
    /// Without a beat for so many milliseconds, an instance is silent
    #[arg(long)]
    pub(crate) silent_ms: u64,
    /// Silent for so many milliseconds, it is gone
    #[arg(long)]
    pub(crate) gone_ms: u64,
    /// Many that are gone at once are really gone
    #[arg(long)]
    pub(crate) unguarded: bool,
}

impl Options {
    pub(crate) fn measures(&self) -> impl Iterator<Item = Measure> {
        let all = Measure::value_variants().iter().copied();
        all.filter(|measure| self.only.is_empty() || self.only.contains(measure))
    }

    pub(crate) fn slice(&self) -> Duration {
        Duration::from_millis(self.slice)
    }

    /// How long any one measure may take: many times what it does.
    pub(crate) fn patience(&self) -> Duration {
        const SETTING_UP: Duration = Duration::from_secs(600);
        SETTING_UP + self.slice() * u32::from(self.rounds + 1) * 50 + self.watched_for() * 10
    }

    pub(crate) fn watched_for(&self) -> Duration {
        Duration::from_secs(self.seconds)
    }

    /// What is measured, in a few words.
    pub(crate) fn setting(&self, cores: usize, versions: &Versions) -> String {
        format!(
            "{cores} cores, shared by servers and clients: the clients are one thread of one process. TCP over loopback, \
             {} rounds, slices of {} ms in rotating order.\n{versions}{}",
            self.rounds,
            self.slice,
            if cfg!(debug_assertions) { "\nA debug build: no figure counts." } else { "" },
        )
    }
}
