//! What the command line of `providers` says: which providers run in this process, where and how.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::ops::RangeInclusive;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use mainstay::{Address, serve};
use mainstay_messaging::Messages;
use tracing::Level;

use super::manner::{delay, silence};
use super::{Config, Manner, Provider, run};
use crate::program;

/// Runs providers, who answer requests for quotes.
///
/// Whoever is in the registry is asked by the next request: start and end providers as you like.
#[derive(Debug, Parser)]
#[command(name = "providers", version, after_help = EXAMPLES)]
pub struct Args {
    /// Run providers 1 to N in this process [default: 10]
    #[arg(long, value_name = "N", group = "which", value_parser = clap::value_parser!(u32).range(1..=999))]
    count: Option<u32>,

    /// Run provider N alone
    #[arg(long, value_name = "N", group = "which", value_parser = clap::value_parser!(u32).range(1..=999))]
    number: Option<u32>,

    /// Where they listen; 0 takes a free port [default: 9070, or a free one with --number]
    #[arg(long, value_name = "P")]
    port: Option<u16>,

    /// How often they keep silent: 0 never, 1 always
    #[arg(long, value_name = "SHARE", value_parser = silence, default_value = "0.5")]
    silence: f64,

    /// How long they take for an answer, each time as likely as the other
    #[arg(long, value_name = "LEAST..MOST", value_parser = delay, default_value = "0s..60s")]
    delay: RangeInclusive<Duration>,

    /// What chance begins with: other seeds, other answers to the same requests
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,

    /// Where messages are kept: hub://REGISTRY, nats://HOST:PORT [default: a hub that is in the registry]
    #[arg(long, env = "MAINSTAY_MESSAGES", value_name = "URL")]
    messages: Option<String>,

    /// Where the registry is
    #[arg(long, env = "MAINSTAY_REGISTRY", value_name = "ADDRESS", value_parser = Address::plain, default_value = program::REGISTRY)]
    registry: Address,
}

const EXAMPLES: &str = "\
A provider is asked on a channel of its own. Killed before it has answered, it is asked again when it is back, and
decides the same. Providers answer by chance; number 11 at once, by the letters of both places.

Examples, with mainstay-registry, hub and quotes running:
  providers                                     providers 1 to 10
  providers --delay 0s..6s                      the same in a hurry, as in the demo
  providers --number 11                         one more, in a terminal of its own: the next request asks it too
  providers --number 12 --silence 0 --delay 2s  it always answers, after two seconds
  curl http://127.0.0.1:9070/providers/UnicornManagementResource1/health";

impl Args {
    /// Runs the providers that these arguments describe, until ^C or SIGTERM.
    pub async fn start(self) -> ExitCode {
        let _log = program::log(Level::INFO);
        program::exit_code("providers", self.run().await)
    }

    async fn run(self) -> io::Result<()> {
        let ended = serve::ended()?;
        let busy = "are providers running already? start one more with --number";
        let listener = program::listen(self.listen(), busy).await?;
        let messages = Messages::open(&program::messages(self.messages.as_deref(), &self.registry))
            .await
            .map_err(io::Error::other)?;
        let base = Address::from(listener.local_addr()?);
        let providers = self.providers();
        for provider in &providers {
            program::say(format_args!("{} on {base}{}", provider.name(), provider.path()));
        }
        run(Config { registry: self.registry, messages, providers }, listener, ended).await
    }

    fn listen(&self) -> SocketAddr {
        let usual = if self.number.is_some() { 0 } else { 9070 };
        (Ipv4Addr::LOCALHOST, self.port.unwrap_or(usual)).into()
    }

    fn providers(&self) -> Vec<Provider> {
        let numbers = match self.number {
            Some(number) => number..=number,
            None => 1..=self.count.unwrap_or(10),
        };
        let manner = Manner { silence: self.silence, delay: self.delay.clone(), seed: self.seed };
        numbers.map(|number| Provider { number, manner: manner.clone() }).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(line: &str) -> Result<Args, String> {
        let words = std::iter::once("providers").chain(line.split_whitespace());
        Args::try_parse_from(words).map_err(|error| error.to_string())
    }

    #[test]
    fn arguments_say_who_answers_where() {
        for (line, numbers, port) in [
            ("", 1..=10, 9070),
            ("--count 3", 1..=3, 9070),
            ("--count 1 --port 80", 1..=1, 80),
            ("--number 4", 4..=4, 0),
            ("--number 4 --port 9074", 4..=4, 9074),
        ] {
            let args = args(line).unwrap();
            assert_eq!(args.listen().port(), port, "{line}");
            assert_eq!(args.providers(), numbers.map(Provider::new).collect::<Vec<_>>(), "{line}");
        }
    }

    #[test]
    fn arguments_say_how_they_answer() {
        let args = args("--number 2 --silence 0 --delay 1s..6s --seed 7").unwrap();
        let delay = Duration::from_secs(1)..=Duration::from_secs(6);
        let provider = Provider { number: 2, manner: Manner { silence: 0.0, delay, seed: 7 } };
        assert_eq!(args.providers(), [provider]);
    }

    #[test]
    fn arguments_that_are_wrong_are_refused_with_the_reason() {
        for (line, why) in [
            ("--count 0", "0 is not in 1..=999"),
            ("--number 1000", "1000 is not in 1..=999"),
            ("--count 2 --number 1", "cannot be used with"),
            ("--silence 2", "is not a number from 0 to 1"),
            ("--delay 6s..0s", "ends before it begins"),
            ("--delay 6", "time unit needed"),
            ("--registry https://x:1", "scheme"),
            ("4", "unexpected argument"),
        ] {
            let error = args(line).unwrap_err();
            assert!(error.contains(why), "{line}: {error:?} does not say {why:?}");
        }
    }
}
