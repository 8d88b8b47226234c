//! How every server of ours says no.

use serde::{Deserialize, Serialize};

/// The JSON body of every answer that is not a success: `{"reason":"no rating of x"}`. What is called `message` or
/// `Message`, as by others and by the auction, is read as the reason too.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// What was wrong, in words for the person who asked: lower case, no full stop.
    #[serde(alias = "message", alias = "Message")]
    pub reason: String,
}

impl Refusal {
    /// A refusal for this reason.
    pub fn new(reason: impl Into<String>) -> Self {
        Self { reason: reason.into() }
    }
}
