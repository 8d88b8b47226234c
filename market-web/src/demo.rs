//! The demo: the whole story on one machine.
//!
//! This process is the Market, and keeps a registry and all services of `kind` as child processes of the same executable,
//! so that pausing and killing them is real. Nothing of it outlives this process: see `role`. What the hub and the
//! records keep is in a temporary directory that goes with it.

mod args;
mod role;

use std::fmt::Display;
use std::io::{self, Write as _};
use std::net::{Ipv4Addr, SocketAddr};

use mainstay::{Address, serve};

pub use args::Args;

use crate::clients::Known;
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
    args.ports.check(args.port)?;
    let listener = listen((Ipv4Addr::LOCALHOST, args.port).into(), "--port").await?;
    let data = tempfile::Builder::new().prefix("mainstay-demo-").tempdir()?;
    let bench = Bench { executable: std::env::current_exe()?, ports: args.ports.clone(), data: data.path().to_owned() };
    let registry = SocketAddr::from((Ipv4Addr::LOCALHOST, args.ports.registry_port));
    free(registry, "--registry-port")?;
    for (kind, number) in args.instances() {
        free(bench.listens(kind, number), kind.option)?;
    }
    announce(&args, &bench, listener.local_addr()?)?;

    let (tape, _console) = console::start();
    let lab = Lab::new(bench);
    let ended = async {
        lab.start_registry().await.map_err(io::Error::other)?;
        for (kind, count) in args.counts() {
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
    data.close()?;
    ended
}

fn free(address: SocketAddr, option: &str) -> io::Result<()> {
    check_free(address).map_err(|error| io::Error::other(format!("{error}; {option} chooses another")))
}

fn announce(args: &Args, bench: &Bench, market: SocketAddr) -> io::Result<()> {
    let registry = Address::from(SocketAddr::from((Ipv4Addr::LOCALHOST, args.ports.registry_port)));
    let mut out = io::stdout().lock();
    let mut line = |name: &str, address: &dyn Display, note: &str| writeln!(out, "{name:<16} {address}{note}");
    line("The Market", &format!("http://{market}"), "   <- open this")?;
    line("Registry", &registry, "")?;
    for (kind, number) in args.instances() {
        line(&kind.title(number), &bench.address(kind, number), "")?;
    }
    writeln!(out, "\nEach is a process of its own; ^C ends them all.\n")
}
