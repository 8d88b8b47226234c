//! Runs the score card: the scenarios of `docs/score-card.md` against other breakers and against Mainstay.

use std::process::ExitCode;

use clap::Parser;
use mainstay_bench::score::card::Card;
use mainstay_bench::score::table;

/// Runs safety scenarios against circuit breakers, and prints what each really did.
///
/// Fails when Mainstay does not pass one.
#[derive(Parser)]
struct Args {
    /// Print the tables of docs/score-card.md.
    #[arg(long)]
    markdown: bool,
}

#[tokio::main]
async fn main() -> ExitCode {
    let args = Args::parse();
    let card = Card::run().await;
    println!("{}", table::text(&card, args.markdown));
    if card.passed() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
