//! The command line.

use std::io;
use std::net::SocketAddr;

use clap::Parser;
use tokio::net::TcpListener;

/// Knows which services are there, and tells whoever asks.
#[derive(Debug, Parser)]
#[command(name = "mainstay-registry", version, after_help = AFTER_HELP)]
pub(crate) struct Args {
    /// Where to listen; port 0 takes a free one
    #[arg(long, env = "MAINSTAY_REGISTRY_LISTEN", default_value = "127.0.0.1:8500", value_name = "ADDRESS:PORT")]
    listen: SocketAddr,

    /// Listen on an address that other machines reach, though nobody is asked who they are
    #[arg(long)]
    insecure: bool,
}

const AFTER_HELP: &str = "\
Try it, with the registry running:
  curl -X PUT localhost:8500/v1/services/ratings/instances/r1 -d '{\"address\":\"127.0.0.1:8001\"}'
  curl -X POST localhost:8500/v1/services/ratings/instances/r1/beat
  curl localhost:8500/v1/services/ratings
  curl -N localhost:8500/v1/services/ratings/watch
Registered for as long as curl runs:
  curl -N localhost:8500/v1/services/ratings/instances/r1/hold -d '{\"address\":\"127.0.0.1:8001\"}'
A page to look at: http://localhost:8500/

An instance that does not beat for 15 s is silent, and gone 90 s later. Nothing is kept across restarts:
held instances come back by themselves. Set RUST_LOG=debug to see more.";

impl Args {
    /// Listens, or says in one line why not and what to do.
    pub(crate) async fn listener(&self) -> Result<TcpListener, String> {
        let address = self.listen;
        if !address.ip().is_loopback() && !self.insecure {
            return Err(format!(
                "{address} can be reached by other machines, and whoever reaches the registry can change it; \
                 listen on 127.0.0.1, or accept that with --insecure"
            ));
        }
        TcpListener::bind(address).await.map_err(|error| match error.kind() {
            io::ErrorKind::AddrInUse => {
                let (ip, port) = (address.ip(), address.port());
                format!("port {port} is in use; stop the other program or choose another with --listen {ip}:PORT")
            }
            _ => format!("cannot listen on {address}: {error}"),
        })
    }
}
