//! What the demo's command line says.

use std::io;
use std::net::SocketAddr;

use auction::bidder::Manner;
use clap::{Parser, Subcommand};
use mainstay::Address;

use crate::kind::Kind;
use crate::lab::INSTANCES;

/// Runs the Market with everything it needs, on this machine
///
/// Opens the shop at http://127.0.0.1:5000, with a registry, ratings instances, an auction service and bidders as
/// processes of their own. Its pages have buttons that start, pause, resume and kill them with real signals. ^C ends them all.
#[derive(Debug, Parser)]
#[command(name = "demo", version, after_help = EXAMPLES, args_conflicts_with_subcommands = true)]
pub struct Args {
    /// The Market's port; 0 takes a free one
    #[arg(long, env = "MARKET_PORT", value_name = "PORT", default_value_t = 5000)]
    pub(super) port: u16,

    /// The registry's port
    #[arg(long, value_name = "PORT", default_value_t = 8500, value_parser = clap::value_parser!(u16).range(1..))]
    pub(super) registry_port: u16,

    /// Ratings instance N listens on this port + N
    #[arg(long, value_name = "PORT", default_value_t = 8000,
          value_parser = clap::value_parser!(u16).range(1..=i64::from(u16::MAX) - i64::from(INSTANCES)))]
    pub(super) ratings_base_port: u16,

    /// How many ratings instances run from the start
    #[arg(long, value_name = "N", default_value_t = 3,
          value_parser = clap::value_parser!(u32).range(0..=i64::from(INSTANCES)))]
    pub(super) instances: u32,

    /// The auction service's port
    #[arg(long, value_name = "PORT", default_value_t = 9090, value_parser = clap::value_parser!(u16).range(1..))]
    pub(super) auction_port: u16,

    /// Bidder N listens on this port + N
    #[arg(long, value_name = "PORT", default_value_t = 9090,
          value_parser = clap::value_parser!(u16).range(1..=i64::from(u16::MAX) - i64::from(INSTANCES)))]
    pub(super) bidders_base_port: u16,

    /// How many bidders run from the start
    #[arg(long, value_name = "N", default_value_t = 3,
          value_parser = clap::value_parser!(u32).range(0..=i64::from(INSTANCES)))]
    pub(super) bidders: u32,

    #[command(subcommand)]
    pub(super) role: Option<Hidden>,
}

const EXAMPLES: &str = "\
Examples:
  demo                          everything, with three ratings instances and three bidders
  demo --instances 0            begin where nobody rates anything
  demo --port 0                 take any free port; it is printed
  MARKET_LOG=warn demo          a silent console; the page's tape still tells everything

While it runs:
  curl -X POST 'http://127.0.0.1:5000/lab/ratings/1/pause'
  curl -X POST 'http://127.0.0.1:5000/lab/bidders/start?manner=silent'
  curl -X POST 'http://127.0.0.1:5000/api/refresh'
  curl -X POST 'http://127.0.0.1:5000/lab/bidders/start?manner=silent'
  curl -d item=car -d condition=good 'http://127.0.0.1:5000/auction'
  curl 'http://127.0.0.1:5000/api/state'";

/// Keeps the roles out of the help: only the demo itself starts them.
#[derive(Debug, Subcommand)]
pub(super) enum Hidden {
    #[command(hide = true, subcommand)]
    Role(Role),
}

/// What a child process of the demo is.
#[derive(Debug, Subcommand)]
pub(super) enum Role {
    Registry {
        #[arg(long)]
        listen: SocketAddr,
    },
    Auction {
        #[arg(long)]
        listen: SocketAddr,
        #[arg(long)]
        registry: Address,
    },
    Bidder {
        #[arg(long)]
        instance: u32,
        #[arg(long)]
        listen: SocketAddr,
        #[arg(long)]
        registry: Address,
        #[arg(long)]
        manner: Manner,
        #[arg(long)]
        delay_ms: u64,
    },
    Ratings {
        #[arg(long)]
        instance: u32,
        #[arg(long)]
        listen: SocketAddr,
        #[arg(long)]
        registry: Address,
    },
}

impl Args {
    /// Refuses two programs on one port.
    pub(super) fn check(&self) -> io::Result<()> {
        let from = |base: u16| u32::from(base) + 1..=u32::from(base) + INSTANCES;
        let one = |port: u16| u32::from(port)..=u32::from(port);
        let taken = [
            ("--port", one(self.port)),
            ("--registry-port", one(self.registry_port)),
            ("--ratings-base-port", from(self.ratings_base_port)),
            ("--auction-port", one(self.auction_port)),
            ("--bidders-base-port", from(self.bidders_base_port)),
        ];
        for (index, (option, ports)) in taken.iter().enumerate() {
            let clash =
                taken[..index].iter().find(|(_, other)| ports.start() <= other.end() && other.start() <= ports.end());
            if let Some((other, _)) = clash {
                return Err(io::Error::other(format!(
                    "{other} and {option} name the same port; instance N takes the base port + N, N up to {INSTANCES}"
                )));
            }
        }
        Ok(())
    }

    /// All that run from the start.
    pub(super) fn instances(&self) -> impl Iterator<Item = (Kind, u32)> + use<> {
        let all = |kind, count| (1..=count).map(move |number| (kind, number));
        all(Kind::Ratings, self.instances).chain(all(Kind::Bidders, self.bidders))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Args, clap::Error> {
        Args::try_parse_from(std::iter::once("demo").chain(line.split_whitespace()))
    }

    #[test]
    fn ports_are_chosen_or_as_the_story_says() {
        let args = parse("--port 5000").unwrap();
        assert_eq!((args.port, args.registry_port, args.ratings_base_port), (5000, 8500, 8000));
        assert_eq!((args.auction_port, args.bidders_base_port), (9090, 9090));
        assert_eq!(parse("--ratings-base-port 9100").unwrap().ratings_base_port, 9100);
    }

    #[test]
    fn two_programs_on_one_port_are_refused() {
        assert!(parse("").unwrap().check().is_ok());
        for line in [
            "--port 8500",
            "--port 8001",
            "--ratings-base-port 8480",
            "--auction-port 8500",
            "--auction-port 5000",
            "--auction-port 9093",
            "--bidders-base-port 8500 --registry-port 8510",
            "--bidders-base-port 8000",
            "--ratings-base-port 9100",
        ] {
            assert!(parse(line).unwrap().check().is_err(), "{line}");
        }
        assert!(parse("--auction-port 9111").unwrap().check().is_ok(), "after the last bidder");
    }

    #[test]
    fn ports_that_do_not_exist_are_refused() {
        for line in [
            "--port 65536",
            "--registry-port 0",
            "--ratings-base-port 65530",
            "--instances 21",
            "--bidders 21",
            "--auction-port 0",
            "--bidders-base-port 65530",
            "role",
        ] {
            assert!(parse(line).is_err(), "{line}");
        }
    }
}
