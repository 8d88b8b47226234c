//! Runs the score card: the scenarios of `docs/score-card.md` against other breakers and against Mainstay.

use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use mainstay_bench::score::balance::{self, Shares};
use mainstay_bench::score::card::Card;
use mainstay_bench::score::table;
use tokio::time::timeout;

/// Runs safety scenarios against circuit breakers, and prints what each really did.
///
/// Fails when Mainstay does not pass one.
#[derive(Parser)]
struct Args {
    /// Print the tables of docs/score-card.md.
    #[arg(long)]
    markdown: bool,
}

/// Many times what it takes.
const PATIENCE: Duration = Duration::from_secs(600);

#[tokio::main]
async fn main() -> ExitCode {
    let args = Args::parse();
    let everything = async { (Card::run().await, balance::run().await) };
    let Ok((card, shares)) = timeout(PATIENCE, everything).await else {
        eprintln!("a scenario does not end");
        return ExitCode::FAILURE;
    };
    println!("{}\n\n{}", table::text(&card, args.markdown), table::shares(&shares, args.markdown));
    if card.passed() && shares.last().is_some_and(Shares::passed) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
