//! How every server of ours says no.

use serde::{Deserialize, Serialize};

/// The JSON body of every answer that is not a success: `{"reason":"no rating of x"}`. Where there is no reason, what is
/// called `message` or `Message`, as by others and by the auction, is read as it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Said")]
pub struct Refusal {
    /// What was wrong, in words for the person who asked: lower case, no full stop.
    pub reason: String,
}

impl Refusal {
    /// A refusal for this reason.
    pub fn new(reason: impl Into<String>) -> Self {
        Self { reason: reason.into() }
    }
}

#[derive(Deserialize)]
struct Said {
    reason: Option<String>,
    #[serde(alias = "Message")]
    message: Option<String>,
}

impl TryFrom<Said> for Refusal {
    type Error = &'static str;

    fn try_from(said: Said) -> Result<Self, Self::Error> {
        said.reason.or(said.message).map(Self::new).ok_or("neither reason nor message")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_read_before_a_message() {
        for (body, reason) in [
            (r#"{"reason":"no rating of x"}"#, Some("no rating of x")),
            (r#"{"message":"FAIL","reason":"division by zero"}"#, Some("division by zero")),
            (r#"{"reason":"division by zero","message":"FAIL"}"#, Some("division by zero")),
            (r#"{"Message":"nobody bids"}"#, Some("nobody bids")),
            (r#"{"message":"no such page","status":404}"#, Some("no such page")),
            (r#"{"status":404}"#, None),
            (r#""no""#, None),
        ] {
            let read = serde_json::from_str::<Refusal>(body).ok().map(|refusal| refusal.reason);
            assert_eq!(read.as_deref(), reason, "{body}");
        }
        assert_eq!(serde_json::to_string(&Refusal::new("no")).unwrap(), r#"{"reason":"no"}"#);
    }
}
