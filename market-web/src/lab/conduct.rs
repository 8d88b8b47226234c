//! How a bidder or a backend behaves, for its trouble to be seen.

use std::time::Duration;

use auction::bidder::{LONGEST_ANSWER, Manner};

/// What it says, and when. The default is what it should be: a bid, or a result, at once.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Conduct {
    pub(crate) manner: Manner,
    pub(crate) delay: Duration,
}

/// How `slow` is slow: late, and still within an auction's usual second.
const SLOW: Duration = Duration::from_millis(700);

/// Looks like a bid, and is a text.
const NONSENSE: &str = r#"{"Bid":"470000"}"#;

impl Conduct {
    /// By the words that the page's choice and programs send: `bids`, `slow`, `silent`, `fails`, `nonsense`.
    pub(crate) fn of(manner: Option<&str>, delay_ms: Option<u64>) -> Result<Self, String> {
        let (manner, delay) = match manner.unwrap_or("bids") {
            "bids" => (Manner::Bids, Duration::ZERO),
            "slow" => (Manner::Bids, SLOW),
            "silent" => (Manner::Silent, Duration::ZERO),
            "fails" => (Manner::Fails, Duration::ZERO),
            "nonsense" => (Manner::Says(NONSENSE.to_owned()), Duration::ZERO),
            _ => return Err("manner is one of bids, slow, silent, fails and nonsense".to_owned()),
        };
        let delay = delay_ms.map_or(delay, Duration::from_millis);
        if delay > LONGEST_ANSWER {
            return Err(format!("delay_ms is from 0 to {}", LONGEST_ANSWER.as_millis()));
        }
        Ok(Self { manner, delay })
    }

    /// Whether a breaker that is open for an earlier one of its number would close.
    pub(crate) fn is_healthy(&self) -> bool {
        !matches!(self.manner, Manner::Silent | Manner::Fails)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_say_how_a_bidder_behaves() {
        let slow = Conduct { manner: Manner::Bids, delay: SLOW };
        assert_eq!(Conduct::of(None, None), Ok(Conduct::default()));
        assert_eq!(Conduct::of(Some("slow"), None), Ok(slow.clone()));
        assert_eq!(Conduct::of(None, Some(700)), Ok(slow));
        assert_eq!(Conduct::of(Some("silent"), None).map(|conduct| conduct.manner), Ok(Manner::Silent));
        for (manner, delay_ms) in [(Some("rude"), None), (Some(""), None), (None, Some(30_001))] {
            assert!(Conduct::of(manner, delay_ms).is_err(), "{manner:?} {delay_ms:?}");
        }
    }
}
