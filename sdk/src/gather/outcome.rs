//! How one leg ended.

use std::fmt;

use crate::call::Fetched;
use crate::error::{Error, ErrorKind};

/// How one leg of a gather ended.
///
/// `Display` says it in a few words, such as `rejected: the bid is a text, not a number`.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Outcome<T> {
    /// There is an answer.
    Answered(Fetched<T>),
    /// The instance said no (4xx), or the judge found that it did.
    Declined {
        /// Why, in the instance's own words, cut to 200 characters; may be empty.
        reason: String,
    },
    /// There was an answer, and it is none: not what the contract says, larger than 1 MiB, or not what the judge
    /// takes.
    Rejected {
        /// What is wrong with it, cut to 200 characters.
        why: String,
    },
    /// No answer in time: within the policy's timeout, or before the deadline.
    TimedOut(Error),
    /// No connection could be made.
    Refused(Error),
    /// The connection broke, the service failed (5xx), or the call could not be made.
    Failed(Error),
    /// Its breaker is open (or every breaker, for a leg that is a call), so it was not asked.
    Skipped(Error),
    /// The gather was complete before it ended.
    Cancelled,
}

/// How much of somebody else's words is kept.
const WORDS: usize = 200;

impl<T> Outcome<T> {
    /// The answer, if there is one.
    pub fn answer(&self) -> Option<&Fetched<T>> {
        match self {
            Self::Answered(fetched) => Some(fetched),
            _ => None,
        }
    }

    /// What went wrong, if something did; neither a decline nor a rejection is an error.
    pub fn error(&self) -> Option<&Error> {
        match self {
            Self::TimedOut(error) | Self::Refused(error) | Self::Failed(error) | Self::Skipped(error) => Some(error),
            Self::Answered(_) | Self::Declined { .. } | Self::Rejected { .. } | Self::Cancelled => None,
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
                Ok(None) => Outcome::Declined { reason: String::new() },
                Err(why) => Outcome::Rejected { why: cut(&why.to_string()) },
            },
            Self::Declined { reason } => Outcome::Declined { reason },
            Self::Rejected { why } => Outcome::Rejected { why },
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
            ErrorKind::Rejected => Self::Declined { reason: cut(error.reason().unwrap_or_default()) },
            ErrorKind::Undecodable => Self::Rejected {
                why: cut(&match std::error::Error::source(&error) {
                    Some(source) => format!("{}: {source}", error.kind()),
                    None => error.kind().to_string(),
                }),
            },
            ErrorKind::Timeout | ErrorKind::Deadline => Self::TimedOut(error),
            ErrorKind::Refused => Self::Refused(error),
            ErrorKind::Skipped | ErrorKind::AllOpen => Self::Skipped(error),
            ErrorKind::NoInstance | ErrorKind::Broken | ErrorKind::Failed | ErrorKind::BadCall => Self::Failed(error),
        }
    }
}

impl<T> fmt::Display for Outcome<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Answered(fetched) if fetched.is_live() => f.write_str("answered"),
            Self::Answered(_) => f.write_str("last good"),
            Self::Declined { reason } if reason.is_empty() => f.write_str("declined"),
            Self::Declined { reason } => write!(f, "declined: {reason}"),
            Self::Rejected { why } => write!(f, "rejected: {why}"),
            Self::TimedOut(_) => f.write_str("timed out"),
            Self::Refused(_) => f.write_str("refused"),
            Self::Failed(error) => match error.status() {
                Some(status) => write!(f, "failed: status {}", status.as_u16()),
                None => write!(f, "failed: {}", error.kind()),
            },
            Self::Skipped(_) => f.write_str("skipped, breaker open"),
            Self::Cancelled => f.write_str("cancelled, the gather was complete"),
        }
    }
}

fn cut(words: &str) -> String {
    words.chars().take(WORDS).collect()
}
