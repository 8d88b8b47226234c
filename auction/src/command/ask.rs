//! `auction ask`: one auction, held by the command itself.

use std::process::ExitCode;
use std::time::Duration;

use mainstay::contracts::bidding;
use mainstay::{Address, Completion, Error, ErrorKind};
use tracing::Level;

use super::told::Told;
use crate::report::Report;
use crate::{Auctioneer, Award, Ending, Terms, program};

#[derive(Debug, clap::Args)]
#[command(after_help = EXIT_CODES)]
pub(super) struct Ask {
    /// What is sold, such as car
    #[arg(value_parser = not_blank)]
    item: String,

    /// What state it is in, such as good
    #[arg(value_parser = not_blank)]
    condition: String,

    /// The longest it may take; each bidder has a second at most
    #[arg(long, value_name = "TIME", value_parser = deadline, default_value = "1s")]
    deadline: Duration,

    /// End with the first N bids
    #[arg(long, value_name = "N", group = "completion", value_parser = clap::value_parser!(u16).range(1..=1000))]
    first: Option<u16>,

    /// End with N bids, or with those of a majority; without a winner when they cannot be had
    #[arg(long, value_name = "N|majority", group = "completion", value_parser = quorum)]
    quorum: Option<Completion>,

    /// Print one JSON object at the end instead
    #[arg(long)]
    json: bool,

    /// Where the registry is
    #[arg(long, env = "MAINSTAY_REGISTRY", value_name = "ADDRESS", value_parser = Address::plain, default_value = program::REGISTRY)]
    registry: Address,
}

const EXIT_CODES: &str = "\
It remembers nothing: a bidder that hangs costs every ask a second. A served auction skips it from the second on.

Exit codes:
  0   there is a winner
  1   nobody bids
  2   the command line is wrong
  3   nobody can be reached: no registry, no bidders, or all of them dead; or there is no quorum

Examples:
  auction ask car good
  auction ask car good --deadline 300ms --first 2
  auction ask car good --quorum majority --json";

/// The exit code when nobody can be reached.
const UNREACHED: u8 = 3;

impl Ask {
    pub(super) async fn start(self) -> ExitCode {
        let _log = program::log(Level::ERROR);
        let auctioneer = match Auctioneer::new(self.registry.clone()) {
            Ok(auctioneer) => auctioneer,
            Err(error) => {
                program::complain("auction", error);
                return UNREACHED.into();
            }
        };
        match self.hold(&auctioneer).await {
            Ok(Ending::Won) => ExitCode::SUCCESS,
            Ok(Ending::NoBid) => ExitCode::from(1),
            Ok(Ending::Unheard | Ending::NoQuorum) | Err(_) => UNREACHED.into(),
        }
    }

    async fn hold(&self, auctioneer: &Auctioneer) -> Result<Ending, Error> {
        let (lot, terms) = (bidding::Ask::new(&self.item, &self.condition), self.terms());
        let mut bidding = match auctioneer.open(lot, terms).await {
            Ok(bidding) => bidding,
            Err(error) => {
                let why = auctioneer.why_nobody(&error);
                if self.json {
                    say_json(&Report::of_nobody(why.clone(), terms, error.elapsed()));
                }
                program::complain("auction", format_args!("{why}; {}", start_some(auctioneer, &error)));
                return Err(error);
            }
        };
        let told = Told::new(bidding.keys());
        while let Some(leg) = bidding.next().await {
            if !self.json {
                told.leg(leg);
            }
        }
        let award = Award::of(&bidding.whole().await);
        if self.json {
            say_json(&Report::of(&award, terms));
        } else {
            told.award(&award);
        }
        match award.ending {
            Ending::Won => {}
            Ending::NoBid => program::complain("auction", award.reason()),
            Ending::Unheard => program::complain("auction", format_args!("{}; {}", award.reason(), wake_some(&award))),
            Ending::NoQuorum => program::complain("auction", format_args!("{}; ask for fewer", award.reason())),
        }
        Ok(award.ending)
    }

    fn terms(&self) -> Terms {
        let first = self.first.map(|first| Completion::First(first.into()));
        Terms { deadline: self.deadline, completion: first.or(self.quorum).unwrap_or_default() }
    }
}

fn say_json(report: &Report) {
    // It has nothing in it that JSON has not.
    program::say(serde_json::to_string(report).unwrap_or_default());
}

const START_BIDDERS: &str = "start some: cargo run -p auction --bin bidders";

/// What helps when nobody was heard.
fn wake_some(award: &Award) -> &'static str {
    if award.standings.iter().any(|standing| standing.outcome == "timed-out") {
        "give them longer with --deadline, or look whether they hang"
    } else {
        START_BIDDERS
    }
}

/// What helps when there is nobody to ask.
fn start_some(auctioneer: &Auctioneer, error: &Error) -> &'static str {
    let lost = auctioneer.client().snapshot().registry.is_some_and(|registry| !registry.reachable);
    match error.kind() {
        ErrorKind::Deadline if lost => "give it longer with --deadline, or say where it is with --registry",
        _ if lost => "start it: cargo run -p mainstay-registry, or say where it is with --registry",
        _ => START_BIDDERS,
    }
}

fn not_blank(text: &str) -> Result<String, &'static str> {
    if text.trim().is_empty() { Err("it is blank") } else { Ok(text.to_owned()) }
}

fn deadline(text: &str) -> Result<Duration, String> {
    program::duration(text, Duration::from_millis(1), Duration::from_secs(10))
}

fn quorum(text: &str) -> Result<Completion, &'static str> {
    if text == "majority" {
        return Ok(Completion::Majority);
    }
    let number = text.parse().ok().filter(|number| (1..=1000).contains(number));
    number.map(Completion::Quorum).ok_or("neither majority nor a number from 1 to 1000")
}
