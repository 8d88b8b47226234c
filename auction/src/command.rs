//! What the command line of `auction` says: serve auctions, or hold one.

mod ask;
mod told;

use std::io;
use std::net::SocketAddr;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use mainstay::{Address, serve};
use tracing::Level;

use self::ask::Ask;
use crate::{Config, program, run};

/// Asks every bidder that is in the registry, and takes the highest bid.
///
/// Without a command, it serves auctions.
#[derive(Debug, Parser)]
#[command(name = "auction", version, args_conflicts_with_subcommands = true, after_help = EXAMPLES)]
pub struct Args {
    #[command(subcommand)]
    command: Option<Command>,

    #[command(flatten)]
    serve: Serve,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve auctions at POST /auction/setAuction
    Serve(Serve),
    /// Hold one auction, and tell each bid as it comes
    Ask(Ask),
}

#[derive(Debug, clap::Args)]
struct Serve {
    /// Where to listen; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:9090")]
    listen: SocketAddr,

    /// Where the registry is
    #[arg(long, env = "MAINSTAY_REGISTRY", value_name = "ADDRESS", value_parser = Address::plain, default_value = program::REGISTRY)]
    registry: Address,
}

const EXAMPLES: &str = "\
Examples, with mainstay-registry and bidders running:
  auction                                       serves on http://127.0.0.1:9090
  auction ask car good                          asks the bidders itself, and tells each as it answers
  curl --json '{\"Item\":\"car\",\"Condition\":\"good\"}' http://127.0.0.1:9090/auction/setAuction
  curl --json '{\"Item\":\"car\",\"Condition\":\"good\"}' 'http://127.0.0.1:9090/auction/setAuction?detail=true'

Parameters of a request: detail=true tells every leg; deadline_ms=1..10000, 1000 unless said; and one of first=N,
quorum=N, quorum=majority, unless everybody is to be heard.";

impl Args {
    /// Does what these arguments say; serving ends at ^C or SIGTERM.
    pub async fn start(self) -> ExitCode {
        match self.command {
            Some(Command::Ask(ask)) => ask.start().await,
            Some(Command::Serve(serve)) => serve.start().await,
            None => self.serve.start().await,
        }
    }
}

impl Serve {
    async fn start(self) -> ExitCode {
        let _log = program::log(Level::INFO);
        program::exit_code("auction", self.run().await)
    }

    async fn run(self) -> io::Result<()> {
        let ended = serve::ended()?;
        let busy = "is an auction running already? another one may listen elsewhere: --listen";
        let listener = program::listen(self.listen, busy).await?;
        program::say(format_args!("auction on http://{}", listener.local_addr()?));
        run(Config { registry: self.registry }, listener, ended).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(line: &str) -> Result<Args, String> {
        let words = std::iter::once("auction").chain(line.split_whitespace());
        Args::try_parse_from(words).map_err(|error| error.to_string())
    }

    #[test]
    fn it_serves_unless_it_is_told_to_ask() {
        for (line, port, registry) in [
            ("", 9090, program::REGISTRY),
            ("serve", 9090, program::REGISTRY),
            ("--listen 127.0.0.1:0", 0, program::REGISTRY),
            ("serve --listen 127.0.0.1:80 --registry 10.0.0.7:8500", 80, "http://10.0.0.7:8500"),
        ] {
            let args = args(line).unwrap();
            let serve = match args.command {
                Some(Command::Serve(serve)) => serve,
                None => args.serve,
                Some(Command::Ask(_)) => panic!("{line}"),
            };
            assert_eq!((serve.listen.port(), serve.registry.as_str()), (port, registry), "{line}");
        }
        assert!(matches!(args("ask car good").unwrap().command, Some(Command::Ask(_))));
    }

    #[test]
    fn arguments_that_are_wrong_are_refused_with_the_reason() {
        for (line, why) in [
            ("sell", "unrecognized subcommand"),
            ("--listen 9090", "invalid socket address"),
            ("--registry https://x:1", "scheme"),
            ("ask car", "<CONDITION>"),
            ("ask car good --first 0", "0 is not in 1..=1000"),
            ("ask car good --quorum most", "neither majority nor a number from 1 to 1000"),
            ("ask car good --quorum 0", "neither majority nor a number from 1 to 1000"),
            ("ask car good --first 1 --quorum 1", "cannot be used with"),
            ("ask car good --deadline 0s", "not from 1ms to 10s"),
            ("ask car good --deadline 11s", "not from 1ms to 10s"),
            ("ask car good --listen 127.0.0.1:0", "unexpected argument"),
        ] {
            let error = args(line).unwrap_err();
            assert!(error.contains(why), "{line}: {error:?} does not say {why:?}");
        }
    }
}
