//! What the demo's command line says.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use auction::bidder::Manner;
use clap::builder::RangedI64ValueParser;
use clap::{Parser, Subcommand, value_parser};
use mainstay::Address;

use crate::kind::{Kind, MANY};
use crate::lab::Ports;

/// Runs the Market with everything it needs, on this machine
///
/// Opens the shop at http://127.0.0.1:5000, with a registry, ratings instances, an auction service and bidders, a hub for
/// messages, a quotes service and providers, and a frontend, an events service and backends for tasks, all as processes
/// of their own. Its pages have buttons that start, pause, resume and kill them with real signals. ^C ends them all.
///
/// Messages and records are kept in a temporary directory, which goes with the demo.
#[derive(Debug, Parser)]
#[command(name = "demo", version, after_help = EXAMPLES, args_conflicts_with_subcommands = true)]
pub struct Args {
    /// The Market's port; 0 takes a free one
    #[arg(long, env = "MARKET_PORT", value_name = "PORT", default_value_t = 5000)]
    pub(super) port: u16,

    /// How many ratings instances run from the start
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = many())]
    instances: u32,

    /// How many bidders run from the start
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = many())]
    bidders: u32,

    /// How many providers run from the start
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = many())]
    providers: u32,

    /// How many backends run from the start
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = many())]
    backends: u32,

    /// A sensor, two workers and an app run too, from the start
    #[arg(long)]
    sensors: bool,

    #[command(flatten)]
    pub(super) ports: Ports,

    #[command(subcommand)]
    pub(super) role: Option<Hidden>,
}

const EXAMPLES: &str = "\
Examples:
  demo                          everything: three ratings instances, three bidders, ten providers, three backends
  demo --instances 0            begin where nobody rates anything
  demo --providers 0 --backends 0   nobody quotes, and tasks wait
  demo --sensors                a sensor that measures, two workers that square, and an app
  demo --port 0                 take any free port; it is printed
  MARKET_LOG=warn demo          a silent console; the page's tape still tells everything

While it runs:
  curl -X POST 'http://127.0.0.1:5000/lab/ratings/1/pause'
  curl -X POST 'http://127.0.0.1:5000/lab/bidders/start?manner=silent'
  curl -X POST 'http://127.0.0.1:5000/lab/backends/start?delay_ms=1000'
  curl -X POST 'http://127.0.0.1:5000/api/refresh'
  curl -d item=car -d condition=good 'http://127.0.0.1:5000/auction'
  curl --json '{\"from\":\"Frankfurt\",\"to\":\"Las Vegas\",\"customer\":\"cmr\"}' http://127.0.0.1:9080/submit-instant-ride-rfq
  curl --json '{\"a1\":5,\"a2\":10}' http://127.0.0.1:4000/task
  curl 'http://127.0.0.1:5000/api/state'";

/// Keeps the roles out of the help: only the demo itself starts them.
#[derive(Debug, Subcommand)]
pub(super) enum Hidden {
    #[command(hide = true, subcommand)]
    Role(Role),
}

/// What a child process of the demo is: the registry, or an instance of a kind, by its name.
#[derive(Debug, Subcommand)]
pub(super) enum Role {
    Registry {
        #[arg(long)]
        listen: SocketAddr,
    },
    Ratings(Seat),
    Bidders {
        #[command(flatten)]
        seat: Seat,
        #[arg(long)]
        manner: Manner,
        #[command(flatten)]
        delay: Delay,
    },
    Auction(Seat),
    Hub(Seat),
    Providers(Seat),
    Quotes(Seat),
    Backends {
        #[command(flatten)]
        seat: Seat,
        #[command(flatten)]
        delay: Delay,
    },
    Tasks(Seat),
    Events(Seat),
    Sensor(Seat),
    Worker(Seat),
    App(Seat),
}

/// Which instance it is, and where.
#[derive(Debug, clap::Args)]
pub(super) struct Seat {
    #[arg(long)]
    pub(super) instance: u32,
    #[arg(long)]
    pub(super) listen: SocketAddr,
    #[arg(long)]
    pub(super) registry: Address,
    /// The demo's directory, for those who keep something.
    #[arg(long)]
    pub(super) data: PathBuf,
}

/// How long it thinks.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(super) struct Delay {
    #[arg(long)]
    delay_ms: u64,
}

impl From<Delay> for Duration {
    fn from(delay: Delay) -> Self {
        Self::from_millis(delay.delay_ms)
    }
}

impl Role {
    /// Where it listens.
    pub(super) fn listen(&self) -> SocketAddr {
        match self {
            Self::Registry { listen } => *listen,
            Self::Bidders { seat, .. } | Self::Backends { seat, .. } => seat.listen,
            Self::Ratings(seat) | Self::Auction(seat) | Self::Hub(seat) | Self::Providers(seat) => seat.listen,
            Self::Quotes(seat) | Self::Tasks(seat) | Self::Events(seat) => seat.listen,
            Self::Sensor(seat) | Self::Worker(seat) | Self::App(seat) => seat.listen,
        }
    }
}

fn many() -> RangedI64ValueParser<u32> {
    value_parser!(u32).range(0..=i64::from(MANY))
}

impl Args {
    /// How many of a kind run from the start.
    fn count(&self, kind: Kind) -> u32 {
        match kind {
            Kind::Ratings => self.instances,
            Kind::Bidders => self.bidders,
            Kind::Providers => self.providers,
            Kind::Backends => self.backends,
            Kind::Sensor | Kind::App => u32::from(self.sensors),
            Kind::Workers => 2 * u32::from(self.sensors),
            Kind::Auction | Kind::Hub | Kind::Quotes | Kind::Tasks | Kind::Events => 1,
        }
    }

    /// All kinds, and how many of each run from the start.
    pub(super) fn counts(&self) -> [(Kind, u32); Kind::ALL.len()] {
        Kind::ALL.map(|kind| (kind, self.count(kind)))
    }

    /// All that run from the start.
    pub(super) fn instances(&self) -> impl Iterator<Item = (Kind, u32)> + use<> {
        self.counts().into_iter().flat_map(|(kind, count)| (1..=count).map(move |number| (kind, number)))
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
        assert_eq!((args.port, args.ports.registry_port, args.ports.ratings_base_port), (5000, 8500, 8000));
        assert_eq!((args.ports.auction_port, args.ports.bidders_base_port), (9090, 9090));
        assert_eq!(parse("--ratings-base-port 9100").unwrap().ports.ratings_base_port, 9100);
    }

    #[test]
    fn two_programs_on_one_port_are_refused() {
        let check = |line| parse(line).map(|args| args.ports.check(args.port)).unwrap();
        assert!(check("").is_ok());
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
            "--hub-port 4000",
            "--quotes-port 9111",
            "--events-port 4030",
            "--providers-base-port 9071",
            "--backends-base-port 3990",
            "--app-port 9002",
        ] {
            assert!(check(line).is_err(), "{line}");
        }
        assert!(check("--auction-port 9131").is_ok(), "after the last bidder and the last provider");
    }

    #[test]
    fn ports_that_do_not_exist_are_refused() {
        for line in [
            "--port 65536",
            "--registry-port 0",
            "--ratings-base-port 65530",
            "--instances 21",
            "--bidders 21",
            "--providers 21",
            "--backends 21",
            "--auction-port 0",
            "--bidders-base-port 65530",
            "role",
        ] {
            assert!(parse(line).is_err(), "{line}");
        }
    }
}
