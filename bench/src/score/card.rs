//! All scenarios for all peers.

use super::peer::Entry;
use super::peers;
use super::scenarios::{self, Finding, Found, Scenario, Verdict};

/// A row: a scenario, and what each peer did.
#[derive(Debug)]
pub struct Row {
    /// What was tried.
    pub scenario: Scenario,
    /// In the order of [`PEERS`].
    pub found: Vec<Found>,
}

/// A setting other than the card's, or another case, and what a peer does then.
#[derive(Debug)]
pub struct Aside {
    /// Who.
    pub entry: Entry,
    /// What is not as in the card.
    pub differs: &'static str,
    /// What it does.
    pub found: Found,
}

/// The card.
#[derive(Debug)]
pub struct Card {
    /// The scenarios.
    pub rows: Vec<Row>,
    /// What is to be known beside them.
    pub asides: Vec<Aside>,
}

/// The columns. The last is us.
pub const PEERS: [Entry; 5] =
    [peers::FAILSAFE, peers::RECLOSER, peers::TOWER_RESILIENCE, peers::SEATBELT, peers::MAINSTAY];

const BARE: &str = "the breaker by itself: in a client, a half-open period does not end while its probe is out";

impl Card {
    /// Tries everything, one after the other.
    pub async fn run() -> Self {
        let mut rows = Vec::new();
        for scenario in scenarios::ALL {
            let mut found = Vec::new();
            for entry in &PEERS {
                found.push(run(&scenario, entry).await);
            }
            rows.push(Row { scenario, found });
        }
        Self { rows, asides: asides().await }
    }

    /// Whether we passed everything.
    pub fn passed(&self) -> bool {
        self.rows.iter().all(|row| passed(row.found.last()))
    }
}

/// Where a scenario has no meaning for the client, what its breaker does by itself.
async fn run(scenario: &Scenario, entry: &Entry) -> Found {
    let found = (scenario.run)(entry).await;
    match &found {
        Ok(Finding { verdict: Verdict::Meaningless, .. }) if entry.package == peers::MAINSTAY.package => {
            let bare = (scenario.run)(&peers::MAINSTAY_BREAKER_FORGETFUL).await?;
            Ok(Finding { note: Some(BARE), ..bare })
        }
        _ => found,
    }
}

async fn asides() -> Vec<Aside> {
    const ANSWERED: &str = "1000 callers time out, but one was answered before";
    const IMPATIENT: &str = "1000 callers leave an instance that answers a little later: stays closed";
    vec![
        Aside {
            entry: peers::TOWER_RESILIENCE,
            differs: "10 000 successes, then failures, with its window of time",
            found: scenarios::window(&peers::TOWER_RESILIENCE_TIMED).await,
        },
        Aside {
            entry: peers::SEATBELT,
            differs: "the probe of an earlier half-open period, with its default half-open mode",
            found: scenarios::old_probe(&peers::SEATBELT_PROGRESSIVE).await,
        },
        Aside {
            entry: peers::SEATBELT,
            differs: "1000 callers time out, with its default for abandoned calls",
            found: scenarios::caller_timeouts(&peers::SEATBELT_ABANDONED_DEFAULT).await,
        },
        Aside {
            entry: peers::SEATBELT,
            differs: "the same, but one was answered before",
            found: scenarios::after_an_answer(&peers::SEATBELT_ABANDONED_DEFAULT).await,
        },
        Aside { entry: peers::SEATBELT, differs: ANSWERED, found: scenarios::after_an_answer(&peers::SEATBELT).await },
        Aside { entry: peers::MAINSTAY, differs: ANSWERED, found: scenarios::after_an_answer(&peers::MAINSTAY).await },
        Aside {
            entry: peers::SEATBELT,
            differs: IMPATIENT,
            found: scenarios::impatient_callers(&peers::SEATBELT).await,
        },
        Aside {
            entry: peers::MAINSTAY,
            differs: IMPATIENT,
            found: scenarios::impatient_callers(&peers::MAINSTAY).await,
        },
    ]
}

fn passed(found: Option<&Found>) -> bool {
    matches!(found, Some(Ok(finding)) if finding.verdict == Verdict::Pass)
}

#[cfg(test)]
mod tests;
