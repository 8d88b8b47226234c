//! The demo: the whole story on one machine.
//!
//! This process is the Market, and keeps a registry and ratings instances as child processes of the same
//! executable, so that pausing and killing them is real. Nothing of it outlives this process: see `role`.

mod args;
mod role;

use std::io::{self, Write as _};
use std::net::{Ipv4Addr, SocketAddr};

use mainstay::Address;

pub use args::Args;

use crate::lab::{Bench, Lab, Which, check_free};
use crate::server::{self, listen};
use crate::{Config, console, shutdown};

/// Runs the demo, or the part of it that the arguments name, until it is told to end.
///
/// # Errors
/// When a port is busy or the system refuses a process. Nothing is left running then.
pub async fn run(args: Args) -> io::Result<()> {
    if let Some(role) = args.role {
        return role::play(role).await;
    }
    let shutdown = shutdown::signals()?;
    let registry = SocketAddr::from((Ipv4Addr::LOCALHOST, args.registry_port));
    args.check()?;
    let listener = listen((Ipv4Addr::LOCALHOST, args.port).into(), "--port").await?;
    free(registry, "--registry-port")?;
    for number in 1..=args.instances {
        free((Ipv4Addr::LOCALHOST, args.ratings_port(number)).into(), "--ratings-base-port")?;
    }
    announce(&args, listener.local_addr()?)?;

    let tape = console::start();
    let lab = Lab::new(Bench {
        executable: std::env::current_exe()?,
        registry_port: args.registry_port,
        ratings_base_port: args.ratings_base_port,
    });
    let ended = async {
        lab.start_registry().await.map_err(io::Error::other)?;
        if args.instances > 0 {
            lab.start(Which::Count(args.instances)).map_err(io::Error::other)?;
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

fn announce(args: &Args, market: SocketAddr) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "The Market   http://{market}   <- open this")?;
    writeln!(out, "Registry     http://127.0.0.1:{}", args.registry_port)?;
    for number in 1..=args.instances {
        writeln!(out, "Ratings #{number}   http://127.0.0.1:{}", args.ratings_port(number))?;
    }
    writeln!(out, "\nEach is a process of its own; ^C ends them all.\n")
}
