//! What is tried, in the order of the card.

mod caller_timeouts;
mod cancelled_probe;
mod early_success;
mod old_probe;
mod one_probe;
mod window;

use std::future::Future;
use std::pin::Pin;

pub use self::caller_timeouts::{after_an_answer, caller_timeouts, impatient_callers};
pub use self::cancelled_probe::cancelled_probe;
pub use self::early_success::early_success;
pub use self::old_probe::old_probe;
pub use self::one_probe::one_probe;
pub use self::window::window;
use super::bed::Unfit;
use super::peer::Entry;

/// What came of a scenario.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// A number, or a few words.
    pub what: String,
    /// What it means.
    pub verdict: Verdict,
    /// What is to be known about it.
    pub note: Option<&'static str>,
}

/// What a [`Finding`] means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// As it should be.
    Pass,
    /// Not as it should be.
    Fail,
    /// The scenario has no meaning here, for the reason that the note says.
    Meaningless,
}

impl Finding {
    fn new(passed: bool, what: impl Into<String>) -> Self {
        let verdict = if passed { Verdict::Pass } else { Verdict::Fail };
        Self { what: what.into(), verdict, note: None }
    }

    fn meaningless(why: &'static str) -> Self {
        Self { what: "-".to_owned(), verdict: Verdict::Meaningless, note: Some(why) }
    }
}

/// What a scenario comes to.
pub type Found = Result<Finding, Unfit>;

/// A scenario under way.
pub type Run<'a> = Pin<Box<dyn Future<Output = Found> + Send + 'a>>;

/// A row of the card.
#[derive(Debug, Clone, Copy)]
pub struct Scenario {
    /// What should be.
    pub name: &'static str,
    /// Tries it.
    pub run: for<'a> fn(&'a Entry) -> Run<'a>,
}

/// All of them.
pub const ALL: [Scenario; 6] = [
    Scenario {
        name: "1000 concurrent callers at half-open: exactly one probe",
        run: |entry| Box::pin(one_probe(entry)),
    },
    Scenario {
        name: "a success admitted before the opening does not close",
        run: |entry| Box::pin(early_success(entry)),
    },
    Scenario {
        name: "the probe of an earlier half-open period does not close",
        run: |entry| Box::pin(old_probe(entry)),
    },
    Scenario { name: "a cancelled probe: retested soon", run: |entry| Box::pin(cancelled_probe(entry)) },
    Scenario { name: "1000 callers time out on a hung instance: opens", run: |entry| Box::pin(caller_timeouts(entry)) },
    Scenario { name: "10 000 successes, then failures: opens within the window", run: |entry| Box::pin(window(entry)) },
];
