//! How one leg ended.

use std::fmt;

use crate::call::Fetched;
use crate::error::{Error, ErrorKind};

/// How one leg of a gather ended.
///
/// `Display` says it in a few words, such as `rejected: the bid is a text, not a number`.
///
/// # Words
///
/// What instances say of themselves is cut to 200 characters, and those that break lines, order a terminal about or
/// turn the direction of the text are replaced.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Outcome<T> {
    /// There is an answer.
    Answered(Fetched<T>),
    /// The instance said no (4xx), or the judge found that it did. To its breaker, it has answered.
    #[non_exhaustive]
    Declined {
        /// Why, in the instance's own words, made [harmless](Outcome#words); may be empty.
        reason: String,
        /// What is known of it, unless it was the judge who found it.
        error: Option<Error>,
    },
    /// There was an answer, and it is none. One that is not what the contract says, or is larger than the policy's
    /// limit, is a failure to its instance's breaker; one that only the judge does not take is not.
    #[non_exhaustive]
    Rejected {
        /// What is wrong with it, made [harmless](Outcome#words).
        why: String,
        /// What is known of it, unless it was the judge who found it.
        error: Option<Error>,
    },
    /// No answer in time: within the policy's timeout, or before the deadline. With no
    /// [attempt](Error::attempts), it was not asked.
    TimedOut(Error),
    /// No connection could be made.
    Refused(Error),
    /// The connection broke, the service failed (5xx, or a status that is neither success nor refusal), or the call
    /// could not be made.
    Failed(Error),
    /// Its breaker is open (or every breaker, for a leg that is a call), so it was not asked.
    Skipped(Error),
    /// The gather was over before it ended: complete, out of reach of its quorum, or stopped.
    Cancelled,
}

/// How many characters of somebody else's words are kept.
const WORDS: usize = 200;

impl<T> Outcome<T> {
    /// The answer, if there is one.
    pub fn answer(&self) -> Option<&Fetched<T>> {
        match self {
            Self::Answered(fetched) => Some(fetched),
            _ => None,
        }
    }

    /// What is known of a leg without an answer; nothing, if it was cancelled, or was the judge's choice.
    pub fn error(&self) -> Option<&Error> {
        match self {
            Self::TimedOut(error) | Self::Refused(error) | Self::Failed(error) | Self::Skipped(error) => Some(error),
            Self::Declined { error, .. } | Self::Rejected { error, .. } => error.as_ref(),
            Self::Answered(_) | Self::Cancelled => None,
        }
    }

    /// Its name, for programs: `answered`, `declined`, `rejected`, `timed-out`, `refused`, `failed`, `skipped` or
    /// `cancelled`.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Answered(_) => "answered",
            Self::Declined { .. } => "declined",
            Self::Rejected { .. } => "rejected",
            Self::TimedOut(_) => "timed-out",
            Self::Refused(_) => "refused",
            Self::Failed(_) => "failed",
            Self::Skipped(_) => "skipped",
            Self::Cancelled => "cancelled",
        }
    }

    pub(super) fn judged<U, E: fmt::Display>(self, judge: impl Fn(T) -> Result<Option<U>, E>) -> Outcome<U> {
        match self {
            Self::Answered(Fetched { value, from, age, instance, elapsed }) => match judge(value) {
                Ok(Some(value)) => Outcome::Answered(Fetched { value, from, age, instance, elapsed }),
                Ok(None) => Outcome::Declined { reason: String::new(), error: None },
                Err(why) => Outcome::Rejected { why: harmless(&why.to_string()), error: None },
            },
            Self::Declined { reason, error } => Outcome::Declined { reason, error },
            Self::Rejected { why, error } => Outcome::Rejected { why, error },
            Self::TimedOut(error) => Outcome::TimedOut(error),
            Self::Refused(error) => Outcome::Refused(error),
            Self::Failed(error) => Outcome::Failed(error),
            Self::Skipped(error) => Outcome::Skipped(error),
            Self::Cancelled => Outcome::Cancelled,
        }
    }
}

impl<T> From<Result<Fetched<T>, Error>> for Outcome<T> {
    fn from(result: Result<Fetched<T>, Error>) -> Self {
        let error = match result {
            Ok(fetched) => return Self::Answered(fetched),
            Err(error) => error,
        };
        match error.kind() {
            ErrorKind::Declined => {
                Self::Declined { reason: harmless(error.reason().unwrap_or_default()), error: Some(error) }
            }
            ErrorKind::Undecodable => {
                let why = match std::error::Error::source(&error) {
                    Some(source) => format!("{}: {source}", error.kind()),
                    None => error.kind().to_string(),
                };
                Self::Rejected { why: harmless(&why), error: Some(error) }
            }
            ErrorKind::Timeout | ErrorKind::Deadline => Self::TimedOut(error),
            ErrorKind::Refused => Self::Refused(error),
            ErrorKind::Skipped | ErrorKind::AllOpen => Self::Skipped(error),
            ErrorKind::NoInstance
            | ErrorKind::NoSocket
            | ErrorKind::NoTls
            | ErrorKind::Broken
            | ErrorKind::Failed
            | ErrorKind::BadCall => Self::Failed(error),
        }
    }
}

impl<T> fmt::Display for Outcome<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Answered(fetched) if fetched.is_live() => f.write_str("answered"),
            Self::Answered(_) => f.write_str("last good"),
            Self::Declined { reason, .. } if reason.is_empty() => f.write_str("declined"),
            Self::Declined { reason, .. } => write!(f, "declined: {reason}"),
            Self::Rejected { why, .. } => write!(f, "rejected: {why}"),
            Self::TimedOut(_) => f.write_str("timed out"),
            Self::Refused(_) => f.write_str("refused"),
            Self::Failed(error) => match error.status() {
                Some(status) => write!(f, "failed: status {}", status.as_u16()),
                None => write!(f, "failed: {}", error.kind()),
            },
            Self::Skipped(_) => f.write_str("skipped, breaker open"),
            Self::Cancelled => f.write_str("cancelled, the gather was over"),
        }
    }
}

fn harmless(words: &str) -> String {
    let harmless = |char: char| if is_order(char) { char::REPLACEMENT_CHARACTER } else { char };
    words.chars().take(WORDS).map(harmless).collect()
}

/// Controls, line and paragraph separators, and what Unicode (UAX 9) has to turn the direction of text.
fn is_order(char: char) -> bool {
    char.is_control()
        || matches!(char, '\u{200e}' | '\u{200f}' | '\u{061c}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}
