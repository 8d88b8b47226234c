//! What the command line says.

use std::io::{self, IsTerminal as _};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use mainstay::{Address, serve};
use tokio::net::TcpListener;
use tracing_subscriber::EnvFilter;

use super::run::Opened;
use super::{Config, Limits};
use crate::Error;

/// Keeps messages on disk until they are consumed, and is found through the registry.
#[derive(Debug, Parser)]
#[command(name = "hub", version, after_help = EXAMPLES)]
pub struct Args {
    /// Where to listen; port 0 takes a free one
    #[arg(long, env = "MAINSTAY_HUB_LISTEN", default_value = "127.0.0.1:8700", value_name = "ADDRESS:PORT")]
    listen: SocketAddr,

    /// Listen on an address that other machines reach, though nobody is asked who they are
    #[arg(long)]
    insecure: bool,

    /// The directory that messages are kept in; made if it is not there
    #[arg(long, env = "MAINSTAY_HUB_DATA", default_value = "data/hub", value_name = "DIR")]
    data: PathBuf,

    /// Where the registry is
    #[arg(long, env = "MAINSTAY_REGISTRY", value_name = "ADDRESS", value_parser = Address::plain, default_value = "http://127.0.0.1:8500")]
    registry: Address,

    /// Topics that there may be
    #[arg(long, value_name = "N", default_value_t = Limits::default().topics)]
    topics: usize,

    /// Messages that a topic may hold; who publishes more is told that it is full
    #[arg(long, value_name = "N", default_value_t = Limits::default().messages)]
    messages: u64,

    /// Bytes that a topic's messages may have
    #[arg(long, value_name = "BYTES", default_value_t = Limits::default().bytes)]
    bytes: u64,

    /// Bytes that everything may take on disk
    #[arg(long, value_name = "BYTES", default_value_t = Limits::default().disk)]
    disk: u64,

    /// Messages of a kept channel that may be received and not settled
    #[arg(long, value_name = "N", default_value_t = Limits::default().in_flight, value_parser = positive)]
    in_flight: usize,

    /// Consumers that may wait for messages at once
    #[arg(long, value_name = "N", default_value_t = 512, value_parser = clap::value_parser!(u16).range(1..=1000))]
    waiting: u16,
}

const EXAMPLES: &str = "\
A channel gets a copy of everything that is published on its topic from then on, and those who receive from it share
what it gets. What is received is invisible to others for a while, and comes again unless it is settled. An answer
to a publish means that the message is on disk.

Try it, with the hub running (the registry may be away):
  hub=http://127.0.0.1:8700
  curl -d '{\"topic\":\"news\",\"channel\":\"readers\",\"rules\":{}}' $hub/declare
  curl -d '{\"messages\":[{\"id\":\"1\",\"topic\":\"news\",\"body\":{\"text\":\"hello\"}}]}' $hub/publish
  curl -d '{\"topic\":\"news\",\"channel\":\"readers\",\"most\":10,\"wait_ms\":5000}' $hub/receive
  curl -d '{\"topic\":\"news\",\"channel\":\"readers\",\"settlements\":[{\"receipt\":\"RECEIPT\",\"verdict\":\"ack\"}]}' $hub/settle
  curl $hub/topics

Published again under the same id, a message is still one: try the second line twice. Whoever could not do it says
\"nack\" and gets it again, \"reject\" puts it into the channel dead-readers, and so do too many tries: see rules,
  {\"visibility_ms\":30000,\"tries\":5,\"backoff_ms\":100,\"kept\":true}
In Rust, programs open Messages at hub://127.0.0.1:8500, the registry's address.

Examples:
  hub                                  on http://127.0.0.1:8700, with its messages in data/hub
  hub --data data/another --listen 127.0.0.1:8701
  hub --messages 1000                  the 1001st that waits on a topic is refused: try it without a consumer
One hub has one directory; one registry has one hub. Set RUST_LOG=debug to see more.";

impl Args {
    /// Runs the hub that these arguments describe, until ^C or SIGTERM.
    #[expect(clippy::print_stderr, reason = "why a program ends is said on its standard error")]
    pub async fn start(self) -> ExitCode {
        let filter = EnvFilter::builder().with_default_directive(tracing::Level::INFO.into()).from_env_lossy();
        let colours = io::stderr().is_terminal();
        // Through a thread of its own: no message waits for a terminal that nobody reads.
        let (stderr, _guard) = tracing_appender::non_blocking(io::stderr());
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(stderr).with_ansi(colours).init();
        match self.serve().await {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("hub: {error}");
                ExitCode::FAILURE
            }
        }
    }

    #[expect(clippy::print_stdout, reason = "where it listens is what this program has to say")]
    async fn serve(self) -> Result<(), Error> {
        let unheard = |error: io::Error| Error::unavailable("signals cannot be heard").because(error);
        let ended = serve::ended().map_err(unheard)?;
        let listener = self.listener().await?;
        let data = self.data.display().to_string();
        let hub = Opened::new(self.config()).await?;
        if let Ok(address) = listener.local_addr() {
            println!("hub on http://{address}, its messages in {data}");
        }
        hub.serve(listener, ended).await
    }

    /// Listens, or says in one line why not and what to do.
    async fn listener(&self) -> Result<TcpListener, Error> {
        let address = self.listen;
        if !address.ip().is_loopback() && !self.insecure {
            return Err(Error::bad(format!(
                "{address} can be reached by other machines, and whoever reaches the hub can read and change what it \
                 holds; listen on 127.0.0.1, or accept that with --insecure"
            )));
        }
        TcpListener::bind(address).await.map_err(|error| match error.kind() {
            io::ErrorKind::AddrInUse => Error::unavailable(format!(
                "port {} is in use; is a hub running already? choose another with --listen {}:PORT and --data",
                address.port(),
                address.ip()
            )),
            _ => Error::unavailable(format!("cannot listen on {address}: {error}")),
        })
    }

    fn config(self) -> Config {
        let Self { data, registry, topics, messages, bytes, disk, in_flight, waiting, .. } = self;
        let limits = Limits { topics, messages, bytes, disk, in_flight, ..Limits::default() };
        Config { limits, waiting: waiting.into(), ..Config::new(data, registry) }
    }
}

fn positive(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) => Err("it must be more than 0".to_owned()),
        Ok(number) => Ok(number),
        Err(error) => Err(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Args, String> {
        Args::try_parse_from(std::iter::once("hub").chain(line.split_whitespace())).map_err(|error| error.to_string())
    }

    #[test]
    fn arguments_say_where_and_how_much() {
        let usual = parsed("").unwrap();
        assert_eq!(usual.listen.to_string(), "127.0.0.1:8700");
        let config = usual.config();
        assert_eq!((config.data, config.limits, config.waiting), ("data/hub".into(), Limits::default(), 512));

        let config =
            parsed("--data x --messages 5 --bytes 6 --disk 7 --topics 8 --in-flight 9 --waiting 10").unwrap().config();
        let limits = Limits { messages: 5, bytes: 6, disk: 7, topics: 8, in_flight: 9, ..Limits::default() };
        assert_eq!((config.data, config.limits, config.waiting), ("x".into(), limits, 10));
    }

    #[test]
    fn arguments_out_of_range_are_refused_with_the_reason() {
        for (line, why) in [
            ("--listen 8700", "invalid socket address"),
            ("--in-flight 0", "more than 0"),
            ("--messages -1", "unexpected argument"),
            ("--messages many", "invalid digit"),
            ("--waiting 0", "0 is not in 1..=1000"),
            ("--registry https://x:1", "no TLS"),
        ] {
            let error = parsed(line).unwrap_err();
            assert!(error.contains(why), "{line}: {error:?} does not say {why:?}");
        }
    }

    #[tokio::test]
    async fn it_listens_where_nobody_else_is_and_other_machines_are_not() {
        let error = parsed("--listen 0.0.0.0:0").unwrap().listener().await.unwrap_err();
        assert!(error.to_string().contains("--insecure"), "{error}");
        assert!(parsed("--listen 0.0.0.0:0 --insecure").unwrap().listener().await.is_ok());

        let busy = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        let _taken = TcpListener::bind(busy).await.unwrap();
        let error = parsed(&format!("--listen {busy}")).unwrap().listener().await.unwrap_err();
        assert!(error.to_string().starts_with(&format!("port {} is in use", busy.port())), "{error}");
    }
}
