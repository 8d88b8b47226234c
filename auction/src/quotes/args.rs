//! What the command line of `quotes` says.

use std::io;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use mainstay::{Address, serve};
use mainstay_messaging::Messages;
use mainstay_records::Records;
use tracing::Level;

use super::{Config, run};
use crate::program;

/// Takes requests for quotes, asks all providers by message, and collects what they quote.
#[derive(Debug, Parser)]
#[command(name = "quotes", version, after_help = EXAMPLES)]
pub struct Args {
    /// Where to listen; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:9080")]
    listen: SocketAddr,

    /// How long a request is open
    #[arg(long, value_name = "TIME", value_parser = open_for, default_value = "60s")]
    open_for: Duration,

    /// Where requests and their quotes are kept: sqlite:PATH, postgres://…
    #[arg(long, env = "MAINSTAY_RECORDS", value_name = "URL", default_value = "sqlite:data/quotes.db")]
    records: String,

    /// Where messages are kept: hub://REGISTRY, nats://HOST:PORT [default: a hub that is in the registry]
    #[arg(long, env = "MAINSTAY_MESSAGES", value_name = "URL")]
    messages: Option<String>,

    /// Where the registry is
    #[arg(long, env = "MAINSTAY_REGISTRY", value_name = "ADDRESS", value_parser = Address::plain, default_value = program::REGISTRY)]
    registry: Address,
}

const EXAMPLES: &str = "\
Submitting waits for nobody: the request is on disk when it is answered, and asks who is in the registry at that instant.
End quotes half-way and start it again: no request and no quote is lost.

Examples, with mainstay-registry, hub and providers running:
  quotes                        serves on http://127.0.0.1:9080
  quotes --open-for 12s         no request is open for longer, as in the demo
  curl --json '{\"from\":\"Frankfurt\",\"to\":\"Las Vegas\",\"customer\":\"cmr\"}' http://127.0.0.1:9080/submit-instant-ride-rfq
  curl http://127.0.0.1:9080/query-instant-ride-rfq/ID
  curl -N http://127.0.0.1:9080/query-instant-ride-rfq/ID/events      the quotes as they arrive
  curl 'http://127.0.0.1:9080/quotes?most=5'                          the newest requests
  curl http://127.0.0.1:9080/quotes/counters                          what became of all quotes";

impl Args {
    /// Runs the service that these arguments describe, until ^C or SIGTERM.
    pub async fn start(self) -> ExitCode {
        let _log = program::log(Level::INFO);
        program::exit_code("quotes", self.run().await)
    }

    async fn run(self) -> io::Result<()> {
        let ended = serve::ended()?;
        let busy = "is quotes running already? another one may listen elsewhere: --listen";
        let listener = program::listen(self.listen, busy).await?;
        let url = program::messages(self.messages.as_deref(), &self.registry);
        let messages = Messages::open(&url).await.map_err(io::Error::other)?;
        let records = Records::open(&self.records, messages.clone()).await.map_err(io::Error::other)?;
        program::say(format_args!("quotes on http://{}", listener.local_addr()?));
        run(Config { registry: self.registry, messages, records, open_for: self.open_for }, listener, ended).await
    }
}

fn open_for(text: &str) -> Result<Duration, String> {
    program::duration(text, Duration::from_millis(100), Duration::from_secs(24 * 60 * 60))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(line: &str) -> Result<Args, String> {
        let words = std::iter::once("quotes").chain(line.split_whitespace());
        Args::try_parse_from(words).map_err(|error| error.to_string())
    }

    #[test]
    fn arguments_say_where_and_for_how_long() {
        for (line, port, open_for, messages) in [
            ("", 9080, 60, "hub://127.0.0.1:8500"),
            ("--listen 127.0.0.1:80 --open-for 12s", 80, 12, "hub://127.0.0.1:8500"),
            ("--registry 10.0.0.7:8500", 9080, 60, "hub://10.0.0.7:8500"),
            ("--messages nats://127.0.0.1:4222", 9080, 60, "nats://127.0.0.1:4222"),
        ] {
            let args = args(line).unwrap();
            let url = program::messages(args.messages.as_deref(), &args.registry);
            assert_eq!(
                (args.listen.port(), args.open_for.as_secs(), url.as_str()),
                (port, open_for, messages),
                "{line}"
            );
        }
    }

    #[test]
    fn arguments_that_are_wrong_are_refused_with_the_reason() {
        for (line, why) in [
            ("--listen 9080", "invalid socket address"),
            ("--open-for 0s", "not from 100ms to 1day"),
            ("--open-for 25h", "not from 100ms to 1day"),
            ("--open-for 12", "time unit needed"),
            ("--registry https://x:1", "scheme"),
            ("ask", "unexpected argument"),
        ] {
            let error = args(line).unwrap_err();
            assert!(error.contains(why), "{line}: {error:?} does not say {why:?}");
        }
    }
}
