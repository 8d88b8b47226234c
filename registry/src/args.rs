//! The command line.

mod engine;

use std::error::Error;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::{Parser, ValueEnum};
use mainstay_registry::{Access, Config, Guard, Tls, dns};
use tokio::net::{TcpListener, UdpSocket};

use crate::command::Command;

/// Knows which services are there, and tells whoever asks.
#[derive(Debug, Parser)]
#[command(
    name = "mainstay-registry",
    version,
    about = "Knows which services are there, and tells whoever asks; without a command, serves that",
    after_help = AFTER_HELP,
    args_conflicts_with_subcommands = true
)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,

    #[command(flatten)]
    pub(crate) serve: Serve,
}

/// What can be said of a registry that is served.
#[derive(Debug, clap::Args)]
pub(crate) struct Serve {
    /// Where to listen; port 0 takes a free one
    #[arg(long, env = "MAINSTAY_REGISTRY_LISTEN", default_value = "127.0.0.1:8500", value_name = "ADDRESS:PORT")]
    listen: SocketAddr,

    /// Where to answer DNS, over UDP and TCP; port 0 takes a free one, "off" answers none
    #[arg(long, env = "MAINSTAY_REGISTRY_DNS", default_value = "127.0.0.1:8600", value_name = "ADDRESS:PORT|off")]
    dns: Dns,

    /// The directory of what outlives the process; made if it is not there
    #[arg(long, env = "MAINSTAY_REGISTRY_DATA", default_value = "data/registry", value_name = "DIR")]
    data: PathBuf,

    /// Keep nothing: after a restart everybody has to come back by themselves
    #[arg(long, conflicts_with = "data")]
    in_memory: bool,

    /// Serve what an etcd cluster keeps, with any number of others that do: etcd://HOST:PORT[,HOST:PORT…][/PREFIX], or
    /// etcds:// over TLS
    #[arg(
        long,
        env = "MAINSTAY_REGISTRY_ENGINE",
        value_name = "URL",
        conflicts_with_all = ["data", "in_memory"],
        value_parser = engine::parse
    )]
    engine: Option<engine::Engine>,

    #[command(flatten)]
    replica: engine::Replica,

    /// How often instances are told to beat
    #[arg(long, value_name = "TIME", value_parser = time, default_value = "5s")]
    beat_every: Duration,

    /// Without a beat for so long, an instance is silent
    #[arg(long, value_name = "TIME", value_parser = time, default_value = "15s")]
    silent_after: Duration,

    /// Silent for so long, it is gone; as long again as a breaker's retest delay, or one that is only paused leaves early
    #[arg(long, value_name = "TIME", value_parser = time, default_value = "90s")]
    gone_after: Duration,

    /// What every lease has beyond its time after a restart
    #[arg(long, value_name = "TIME", value_parser = time, default_value = "15s")]
    grace: Duration,

    /// Whether instances stay listed that would be gone together with too many others
    #[arg(long, value_enum, default_value_t = Switch::On, value_name = "on|off")]
    guard: Switch,

    /// Answer only those who show a token of this file: see the command `token`
    #[arg(long, env = "MAINSTAY_REGISTRY_TOKENS", value_name = "FILE")]
    tokens: Option<PathBuf>,

    /// Encrypt connections: the certificate chain of this registry, in PEM
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,

    /// The key of that certificate, in PEM
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,

    /// Serve only clients with a certificate of these authorities, in PEM
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_clients: Option<PathBuf>,

    /// Listen on an address that other machines reach, though nobody is asked who they are
    #[arg(long)]
    insecure: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Switch {
    On,
    Off,
}

/// Where names are answered, if anywhere.
#[derive(Debug, Clone, Copy)]
enum Dns {
    At(SocketAddr),
    Off,
}

impl FromStr for Dns {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "off" => Ok(Self::Off),
            address => address.parse().map(Self::At).map_err(|_| "it is no ADDRESS:PORT, and not \"off\"".to_owned()),
        }
    }
}

const AFTER_HELP: &str = "\
Try it, with the registry running:
  curl -X PUT localhost:8500/v1/services/ratings/instances/r1 -d '{\"address\":\"127.0.0.1:8001\"}'
  curl -X POST localhost:8500/v1/services/ratings/instances/r1/beat
  curl localhost:8500/v1/services/ratings
  curl -N localhost:8500/v1/services/ratings/watch
Registered for as long as curl runs:
  curl -N localhost:8500/v1/services/ratings/instances/r1/hold -d '{\"address\":\"127.0.0.1:8001\"}'
By name, for programs that know DNS or Consul:
  dig @127.0.0.1 -p 8600 ratings.service.consul SRV
  curl localhost:8500/v1/health/service/ratings?passing
A page to look at: http://localhost:8500/

An instance that does not beat for 15 s is silent, and gone 90 s later. If that would take more than 2 instances and
30 % of a service within one lease, or the last one, they are suspect instead, and stay listed: see `release`.
What was acknowledged is on disk. Set RUST_LOG=debug to see more.

Where other machines reach it:
  mainstay-registry token market --read '' --file tokens.json
  mainstay-registry --listen 0.0.0.0:8500 --tokens tokens.json --tls-cert chain.pem --tls-key key.pem

Exit codes of commands:
  0   done
  1   the registry says no, or, for a drain, somebody has not been told
  2   the command line is wrong
  3   there is no registry";

/// The longest DNS answer that no network cuts into pieces: what is asked from afar gets no longer one over UDP.
const UNFRAGMENTED: u16 = 1_232;

/// From a tenth of a second to a day.
fn time(text: &str) -> Result<Duration, String> {
    let time = humantime::parse_duration(text).map_err(|error| format!("{error}, such as 15s or 500ms"))?;
    if (Duration::from_millis(100)..=Duration::from_secs(86_400)).contains(&time) {
        Ok(time)
    } else {
        Err("it must be from 100ms to 1day".to_owned())
    }
}

impl Serve {
    /// The registry as it is asked for, which listens already.
    ///
    /// # Errors
    /// When a file that is named is not what it should be.
    pub(crate) fn config(&self, listening: SocketAddr) -> Result<Config, Box<dyn Error>> {
        let access = self.tokens.as_ref().map(Access::load).transpose()?;
        let tls = match (&self.tls_cert, &self.tls_key) {
            (Some(chain), Some(key)) => Some(Tls::load(chain, key, self.tls_clients.as_deref())?),
            _ => None,
        };
        let guard = Guard { on: self.guard == Switch::On, ..Guard::default() };
        let data = (!self.in_memory).then(|| self.data.clone());
        let Self { beat_every, silent_after, gone_after, grace, .. } = *self;
        let mut dns = dns::Config::default();
        if matches!(self.dns, Dns::At(address) if !address.ip().is_loopback()) {
            dns.limits.payload = UNFRAGMENTED;
        }
        let time = Config { beat_every, silent_after, gone_after, grace, ..Config::default() };
        let config = Config { guard, data, access, tls, dns, ..time };
        match &self.engine {
            None => Ok(config),
            Some(engine) => self.replica.of(engine, config, self, listening),
        }
    }

    /// What addresses of this registry begin with.
    pub(crate) fn scheme(&self) -> &'static str {
        if self.tls_cert.is_some() { "https" } else { "http" }
    }

    /// Listens, or says in one line why not and what to do.
    pub(crate) async fn listener(&self) -> Result<TcpListener, String> {
        self.allow(self.listen, self.tokens.is_some() || self.tls_clients.is_some())?;
        listen(self.listen, "--listen").await
    }

    /// Both sockets for DNS, on one port, unless there is to be none.
    pub(crate) async fn dns(&self) -> Result<Option<(UdpSocket, TcpListener)>, String> {
        let Dns::At(address) = self.dns else { return Ok(None) };
        // Nobody shows a certificate there.
        self.allow(address, self.tokens.is_some())?;
        let listener = listen(address, "--dns").await?;
        let address = listener.local_addr().map_err(|error| error.to_string())?;
        let socket = UdpSocket::bind(address).await.map_err(|error| why(&error, address, "--dns"))?;
        Ok(Some((socket, listener)))
    }

    fn allow(&self, address: SocketAddr, asks: bool) -> Result<(), String> {
        if address.ip().is_loopback() || asks || self.insecure {
            return Ok(());
        }
        Err(format!(
            "{address} can be reached by other machines, and whoever reaches the registry can change it; \
             listen on 127.0.0.1, ask for --tokens or --tls-clients, or accept that with --insecure"
        ))
    }
}

async fn listen(address: SocketAddr, option: &str) -> Result<TcpListener, String> {
    TcpListener::bind(address).await.map_err(|error| why(&error, address, option))
}

fn why(error: &io::Error, address: SocketAddr, option: &str) -> String {
    match error.kind() {
        io::ErrorKind::AddrInUse => {
            let (ip, port) = (address.ip(), address.port());
            format!("port {port} is in use; stop the other program or choose another with {option} {ip}:PORT")
        }
        _ => format!("cannot listen on {address}: {error}"),
    }
}
