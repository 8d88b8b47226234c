//! The demo: the whole story on one machine.
//!
//! This process is the Market, and keeps a registry, an auction service, ratings instances and bidders as child
//! processes of the same executable, so that pausing and killing them is real. Nothing of it outlives this process: see `role`.

mod args;
mod role;

use std::fmt::Display;
use std::io::{self, Write as _};
use std::net::{Ipv4Addr, SocketAddr};

use mainstay::{Address, serve};

pub use args::Args;

use crate::clients::Known;
use crate::kind::Kind;
use crate::lab::{Bench, Conduct, Lab, Which, check_free};
use crate::server::{self, listen};
use crate::{Config, console};

/// Runs the demo, or the part of it that the arguments name, until it is told to end.
///
/// # Errors
/// When a port is busy or the system refuses a process. Nothing is left running then.
pub async fn run(args: Args) -> io::Result<()> {
    if let Some(role) = args.role {
        return role::play(role).await;
    }
    let shutdown = serve::ended()?;
    let registry = SocketAddr::from((Ipv4Addr::LOCALHOST, args.registry_port));
    args.check()?;
    let listener = listen((Ipv4Addr::LOCALHOST, args.port).into(), "--port").await?;
    let bench = Bench {
        executable: std::env::current_exe()?,
        registry_port: args.registry_port,
        ratings_base_port: args.ratings_base_port,
        auction_port: args.auction_port,
        bidders_base_port: args.bidders_base_port,
    };
    free(registry, "--registry-port")?;
    free((Ipv4Addr::LOCALHOST, args.auction_port).into(), "--auction-port")?;
    for (kind, number) in args.instances() {
        let option = match kind {
            Kind::Ratings => "--ratings-base-port",
            Kind::Bidders => "--bidders-base-port",
        };
        free(bench.listens(kind, number), option)?;
    }
    announce(&args, &bench, listener.local_addr()?)?;

    let (tape, _console) = console::start();
    let lab = Lab::new(bench);
    let ended = async {
        lab.start_registry().await.map_err(io::Error::other)?;
        lab.start_auction().map_err(io::Error::other)?;
        for (kind, count) in [(Kind::Ratings, args.instances), (Kind::Bidders, args.bidders)] {
            if count > 0 {
                lab.start(kind, Which::Count(count), &Conduct::default(), &Known::default())
                    .map_err(io::Error::other)?;
            }
        }
        let config = Config { registry: Some(Address::from(registry)), lab: Some(lab.clone()), tape };
        server::run(config, listener, shutdown).await
    }
    .await;
    lab.end().await;
    ended
}

fn free(address: SocketAddr, option: &str) -> io::Result<()> {
    check_free(address).map_err(|error| io::Error::other(format!("{error}; {option} chooses another")))
}

fn announce(args: &Args, bench: &Bench, market: SocketAddr) -> io::Result<()> {
    let local = |port: u16| Address::from(SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
    let mut out = io::stdout().lock();
    let mut line = |name: &str, address: &dyn Display, note: &str| writeln!(out, "{name:<12} {address}{note}");
    line("The Market", &format!("http://{market}"), "   <- open this")?;
    line("Registry", &local(args.registry_port), "")?;
    line("Auction", &local(args.auction_port), "")?;
    for (kind, number) in args.instances() {
        let name = match kind {
            Kind::Ratings => format!("Ratings #{number}"),
            Kind::Bidders => format!("Bidder #{number}"),
        };
        line(&name, &bench.address(kind, number), "")?;
    }
    writeln!(out, "\nEach is a process of its own; ^C ends them all.\n")
}
