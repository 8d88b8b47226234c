//! The command line.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};

use super::contestant::Contestant;
use super::instances;

/// Calls per second and CPU per call of Mainstay, beside other clients and proxies
///
/// Every contestant makes the same call of three instances on loopback, for a slice of time and in turn, in an order
/// that rotates from round to round; ratios are taken within a round, so that what disturbs the machine for longer
/// cancels out. The instances share one process and one thread, the client has another: it takes two quiet cores.
///
/// Takes about two minutes. A proxy that is not installed is left out, and so are instructions without valgrind.
#[derive(Debug, Parser)]
#[command(
    name = "end-to-end",
    args_conflicts_with_subcommands = true,
    disable_help_subcommand = true,
    after_help = "Examples:
  end-to-end
  end-to-end --rounds 5 --only raw,mainstay,legacy --concurrent 16
  end-to-end --rounds 0 --instructions
  end-to-end --chart docs/bench.svg --json bench.json"
)]
pub struct Options {
    #[command(subcommand)]
    pub(crate) part: Option<Part>,

    /// Rounds that are measured, after one to warm up; 0 for none
    #[arg(long, value_name = "COUNT", default_value_t = 15)]
    pub(crate) rounds: usize,

    /// What each contestant gets of a round, in milliseconds
    #[arg(long, value_name = "MS", default_value_t = 200, value_parser = clap::value_parser!(u64).range(1..=60_000))]
    pub(crate) slice: u64,

    /// Whom to measure; ratios to those left out are left out
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    only: Vec<Contestant>,

    /// Tasks that call at once, one table for each number
    #[arg(long, value_name = "COUNTS", value_delimiter = ',', default_value = "1,16,64", value_parser = tasks)]
    pub(crate) concurrent: Vec<usize>,

    /// Threads of the client's runtime: 1 is tokio's current_thread
    #[arg(long, value_name = "COUNT", default_value_t = 1, value_parser = threads)]
    pub(crate) threads: usize,

    /// Workers of each proxy
    #[arg(long, value_name = "COUNT", default_value_t = 1, value_parser = threads)]
    pub(crate) proxy_workers: usize,

    /// Also count the client's instructions per call, with valgrind: a minute
    #[arg(long)]
    pub(crate) instructions: bool,

    /// Write everything that was measured here
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,

    /// Draw the most concurrent level here, as SVG
    #[arg(long, value_name = "FILE.svg")]
    pub(crate) chart: Option<PathBuf>,
}

/// As `Cargo.toml` says for releases. One program, so that it is the same for all.
const PROFILE: &str = "lto = \"fat\", codegen-units = 1";

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
    /// Be the instances
    #[command(hide = true)]
    Instances,
    /// Make so many calls, to be counted from outside
    #[command(hide = true)]
    Calls { contestant: Contestant, count: u32, addresses: Vec<SocketAddr> },
}

impl Options {
    pub(crate) fn contestants(&self) -> Vec<Contestant> {
        let all = Contestant::value_variants().iter().copied();
        all.filter(|contestant| self.only.is_empty() || self.only.contains(contestant)).collect()
    }

    /// What was measured, in a few words.
    pub(crate) fn setting(&self, cores: usize) -> String {
        let runtime = match self.threads {
            1 => "a current_thread runtime".to_owned(),
            more => format!("a runtime of {more} threads"),
        };
        let shared = match (cores < self.threads + 1, cores < self.threads + 1 + self.proxy_workers) {
            (true, _) => " Client, instances and proxy share the cores.",
            (false, true) => " A proxy shares the cores with both.",
            (false, false) => "",
        };
        format!(
            "{cores} cores. Client: {runtime}. Instances: {} in one process of one thread. \
             Workers of each proxy: {}.{shared}\nHTTP/1.1 over loopback, {} rounds, slices of {} ms in rotating order. \
             Built with {}.",
            instances::COUNT,
            self.proxy_workers,
            self.rounds,
            self.slice,
            if cfg!(debug_assertions) { "the debug profile: no figure counts" } else { PROFILE },
        )
    }
}

fn tasks(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|count| (1..=1000).contains(count)).ok_or_else(|| "a number from 1 to 1000".to_owned())
}

fn threads(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|count| (1..=64).contains(count)).ok_or_else(|| "a number from 1 to 64".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_profile_is_as_it_is_told() {
        let manifest = include_str!("../../Cargo.toml");
        let (_, release) = manifest.split_once("[profile.release]\n").unwrap();
        for rule in PROFILE.split(", ") {
            assert!(release.lines().any(|line| line == rule), "{rule}");
        }
    }

    #[test]
    fn it_is_told_when_cores_are_shared() {
        let setting = |arguments: &[&str], cores| {
            Options::parse_from(["end-to-end"].iter().chain(arguments).copied()).setting(cores)
        };
        assert!(setting(&[], 2).contains("A proxy shares the cores with both."));
        assert!(setting(&["--threads", "2"], 2).contains("Client, instances and proxy share the cores."));
        assert!(!setting(&["--threads", "2"], 4).contains("share"));
    }
}
