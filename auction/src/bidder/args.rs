//! What the command line of `bidders` says: which bidders run in this process, where and how.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use mainstay::{Address, serve};
use tracing::Level;

use super::{Bidder, Bids, Config, LONGEST_ANSWER, Manner, run};
use crate::program;

/// Runs bidders for the auction.
///
/// Whoever is in the registry is asked in the next auction: start and end bidders as you like.
#[derive(Debug, Parser)]
#[command(name = "bidders", version, after_help = EXAMPLES)]
pub struct Args {
    /// Run bidders 1 to N in this process [default: 3]
    #[arg(long, value_name = "N", group = "which", value_parser = clap::value_parser!(u32).range(1..=999))]
    count: Option<u32>,

    /// Run bidder N alone
    #[arg(long, value_name = "N", group = "which", value_parser = clap::value_parser!(u32).range(1..=999))]
    number: Option<u32>,

    /// Where they listen; 0 takes a free port [default: 9091, or 9090 + N with --number]
    #[arg(long, value_name = "P")]
    port: Option<u16>,

    /// What they pay, by condition, instead of the usual bids
    #[arg(long, value_name = "CONDITION=AMOUNT,…")]
    bids: Option<Bids>,

    /// How long they think before each answer
    #[arg(long, value_name = "TIME", value_parser = delay, default_value = "0s")]
    delay: Duration,

    /// How they behave: bids, silent (no answer for 30 s), fails (status 500), says=BODY (200, and whatever you like)
    #[arg(long, value_name = "MANNER", default_value_t = Manner::Bids)]
    manner: Manner,

    /// Where the registry is
    #[arg(long, env = "MAINSTAY_REGISTRY", value_name = "ADDRESS", value_parser = Address::plain, default_value = program::REGISTRY)]
    registry: Address,
}

const EXAMPLES: &str = "\
The usual bids are good=350000,bad=33000 of bidder 1, good=470000,bad=42000 of bidder 2, good=440000,bad=43000 of
bidder 3; each further one bids more than all before it. Any other condition they do not want.

Examples:
  bidders                                   bidders 1, 2 and 3, on http://127.0.0.1:9091
  bidders --number 4                        one more, in a terminal of its own: it wins the next auction
  bidders --number 5 --bids good=500000     it wants nothing that is not good
  bidders --number 6 --delay 700ms          it is late for: auction ask car good --deadline 500ms
  bidders --number 7 --manner silent        it costs a served auction its deadline, once
  bidders --number 8 --manner 'says={\"Bid\":\"470000\"}'    a text is no bid, and is rejected
  curl -d '{\"Item\":\"car\",\"Condition\":\"good\"}' http://127.0.0.1:9091/bidders/bidder2";

impl Args {
    /// Runs the bidders that these arguments describe, until ^C or SIGTERM.
    pub async fn start(self) -> ExitCode {
        let _log = program::log(Level::INFO);
        program::exit_code("bidders", self.run().await)
    }

    async fn run(self) -> io::Result<()> {
        let ended = serve::ended()?;
        let busy = "are bidders running already? start one more with --number";
        let listener = program::listen(self.listen(), busy).await?;
        let config = self.config();
        let base = Address::from(listener.local_addr()?);
        for bidder in &config.bidders {
            program::say(format_args!("{} on {base}{}", bidder.name(), bidder.path()));
        }
        run(config, listener, ended).await
    }

    fn listen(&self) -> SocketAddr {
        // Up to 999, so that this is a port.
        let usual = 9090 + self.number.unwrap_or(1) as u16;
        (Ipv4Addr::LOCALHOST, self.port.unwrap_or(usual)).into()
    }

    fn config(self) -> Config {
        let numbers = match self.number {
            Some(number) => number..=number,
            None => 1..=self.count.unwrap_or(3),
        };
        let bidder = |number| {
            let usual = Bidder::new(number);
            let bids = self.bids.clone().unwrap_or(usual.bids);
            Bidder { bids, delay: self.delay, manner: self.manner.clone(), ..usual }
        };
        Config { bidders: numbers.map(bidder).collect(), registry: self.registry }
    }
}

fn delay(text: &str) -> Result<Duration, String> {
    program::duration(text, Duration::ZERO, LONGEST_ANSWER)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(line: &str) -> Result<Args, String> {
        let words = std::iter::once("bidders").chain(line.split_whitespace());
        Args::try_parse_from(words).map_err(|error| error.to_string())
    }

    #[test]
    fn arguments_say_who_bids_where() {
        for (line, numbers, port) in [
            ("", 1..=3, 9091),
            ("--count 5", 1..=5, 9091),
            ("--count 1 --port 80", 1..=1, 80),
            ("--number 1", 1..=1, 9091),
            ("--number 4", 4..=4, 9094),
            ("--number 999", 999..=999, 10_089),
            ("--number 4 --port 0", 4..=4, 0),
        ] {
            let args = args(line).unwrap();
            assert_eq!(args.listen().port(), port, "{line}");
            let bidders = args.config().bidders;
            assert_eq!(bidders, numbers.map(Bidder::new).collect::<Vec<_>>(), "{line}");
        }
    }

    #[test]
    fn arguments_say_how_they_bid() {
        let line = r#"--number 4 --bids good=1 --delay 700ms --manner says={"Bid":"1"} --registry 10.0.0.7:8500"#;
        let Config { bidders, registry } = args(line).unwrap().config();
        let bidder = Bidder {
            number: 4,
            bids: "good=1".parse().unwrap(),
            delay: Duration::from_millis(700),
            manner: Manner::Says(r#"{"Bid":"1"}"#.to_owned()),
        };
        assert_eq!((bidders, registry.as_str()), (vec![bidder], "http://10.0.0.7:8500"));
    }

    #[test]
    fn arguments_that_are_wrong_are_refused_with_the_reason() {
        for (line, why) in [
            ("--count 0", "0 is not in 1..=999"),
            ("--number 1000", "1000 is not in 1..=999"),
            ("--count 2 --number 1", "cannot be used with"),
            ("--port 65536", "65536 is not in"),
            ("--bids good", "is not CONDITION=AMOUNT"),
            ("--delay 31s", "not from 0s to 30s"),
            ("--delay 1", "time unit needed"),
            ("--manner rude", "is none of bids, silent, fails, says=BODY"),
            ("--registry https://x:1", "scheme"),
            ("4", "unexpected argument"),
        ] {
            let error = args(line).unwrap_err();
            assert!(error.contains(why), "{line}: {error:?} does not say {why:?}");
        }
    }
}
