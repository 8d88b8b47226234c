//! What `market-web`'s command line says.

use std::io;
use std::net::SocketAddr;

use clap::Parser;
use mainstay::{Address, serve};

use crate::server::{self, listen};
use crate::{Config, console};

/// Runs the Market: a shop whose ratings never vanish
///
/// It finds the ratings instances through the registry, and serves a page that shows the shop on the left and
/// what happens behind it on the right. The registry and the instances may come and go.
#[derive(Debug, Parser)]
#[command(name = "market-web", version, after_help = EXAMPLES)]
pub struct Args {
    /// Where the shop listens; port 0 takes a free one
    #[arg(long, env = "MARKET_LISTEN", value_name = "ADDRESS", default_value = "127.0.0.1:5000")]
    listen: SocketAddr,

    /// Where the registry is
    #[arg(long, env = "MAINSTAY_REGISTRY", value_name = "ADDRESS", value_parser = Address::plain, default_value = "http://127.0.0.1:8500")]
    registry: Address,

    /// The plain shop: neither ratings nor auctions, no client, no traffic
    #[arg(long)]
    no_ratings: bool,
}

const EXAMPLES: &str = "\
Examples:
  market-web                                    with the registry on this machine
  market-web --registry http://10.0.0.7:8500    with a registry elsewhere
  market-web --listen 127.0.0.1:0               on any free port; it is printed
  market-web --no-ratings                       the plain shop
  MARKET_LOG=warn market-web                    a silent console

Everything at once, on one machine: cargo demo";

/// Runs the Market that these arguments describe, until ^C or SIGTERM.
///
/// # Errors
/// When its address cannot be listened on.
pub async fn start(args: Args) -> io::Result<()> {
    let shutdown = serve::ended()?;
    let listener = listen(args.listen, "--listen").await?;
    let (tape, _console) = console::start();
    tracing::info!("The Market is open at http://{}", listener.local_addr()?);
    let config = Config { registry: (!args.no_ratings).then_some(args.registry), lab: None, tape };
    server::run(config, listener, shutdown).await
}
