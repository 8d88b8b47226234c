//! Why a call has no live answer.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use mainstay_contracts::Address;
use mainstay_contracts::registry::Instance;

/// What kind of failure an [`Error`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// No instance is known. If that is so because the registry cannot be reached, the source says so.
    NoInstance,
    /// Instances are known, but every breaker is open: all were skipped.
    AllOpen,
    /// The one instance that was meant has an open breaker, and was skipped.
    Skipped,
    /// No connection could be made, or no TLS on it; the source says which.
    Refused,
    /// This process or machine had no socket left to make a connection with. No instance's fault.
    NoSocket,
    /// The instance is at an `https` address, and this client has no TLS (see
    /// [`ClientBuilder`](crate::ClientBuilder)). No instance's fault.
    NoTls,
    /// The connection broke before the answer was whole.
    Broken,
    /// An attempt took longer than the policy's timeout.
    Timeout,
    /// The call's deadline came first.
    Deadline,
    /// The service said that the call is wrong (4xx).
    Declined,
    /// The service failed (5xx), or answered with something that is neither success nor refusal.
    Failed,
    /// The answer is not what the contract says, or is larger than the policy's limit.
    Undecodable,
    /// The call does not fit its own route: a field of its path is empty, for instance.
    BadCall,
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoInstance => "no instance is known",
            Self::AllOpen => "every breaker is open",
            Self::Skipped => "breaker open",
            Self::Refused => "connection refused",
            Self::NoSocket => "no socket left on this machine",
            Self::NoTls => "an https address, and no TLS here",
            Self::Broken => "connection broken",
            Self::Timeout => "timed out",
            Self::Deadline => "missed the deadline",
            Self::Declined => "declined the call",
            Self::Failed => "failed",
            Self::Undecodable => "answer is not what the contract says",
            Self::BadCall => "call does not fit its route",
        })
    }
}

/// A call without a live answer: what happened, where, how often it was tried and how long it took.
///
/// `Display` says what this error knows; [`source`](StdError::source) says the rest. Cheap to clone.
#[derive(Clone)]
pub struct Error(Arc<Inner>);

struct Inner {
    service: &'static str,
    facts: Facts,
    cause: Box<Cause>,
}

/// What is known of a call when it ends.
#[derive(Debug, Clone, Default)]
pub(crate) struct Facts {
    pub(crate) instance: Option<Arc<Instance>>,
    pub(crate) attempts: u32,
    pub(crate) elapsed: Duration,
    pub(crate) sent: bool,
    /// Did every instance that was tried refuse?
    pub(crate) all_refused: bool,
}

/// What made the last attempt fail.
pub(crate) struct Cause {
    pub(crate) kind: ErrorKind,
    pub(crate) status: Option<StatusCode>,
    pub(crate) reason: Option<String>,
    pub(crate) retry_after: Option<Duration>,
    pub(crate) source: Option<Box<dyn StdError + Send + Sync>>,
}

/// Boxed wherever it is a result: most calls have none.
impl From<ErrorKind> for Box<Cause> {
    fn from(kind: ErrorKind) -> Self {
        Self::new(Cause::of(kind))
    }
}

/// The registry cannot be reached.
#[derive(Debug)]
pub(crate) struct RegistryAway(pub(crate) Address);

impl fmt::Display for RegistryAway {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the registry at {} cannot be reached", self.0)
    }
}

impl StdError for RegistryAway {}

impl Cause {
    pub(crate) fn of(kind: ErrorKind) -> Self {
        Self { kind, status: None, reason: None, retry_after: None, source: None }
    }

    /// In a few words, for the line that says why a breaker opened.
    pub(crate) fn describe(&self, timeout: Duration) -> String {
        match (self.kind, self.status) {
            (ErrorKind::Timeout, _) => format!("timeout {:.1} s", timeout.as_secs_f64()),
            (_, Some(status)) => format!("status {}", status.as_u16()),
            // The source says whether nobody is there, or somebody with a certificate that is not trusted.
            (ErrorKind::Refused, None) => {
                self.source.as_ref().map_or_else(|| self.kind.to_string(), ToString::to_string)
            }
            (kind, None) => kind.to_string(),
        }
    }
}

impl Error {
    pub(crate) fn new(service: &'static str, cause: Box<Cause>, facts: Facts) -> Self {
        Self(Arc::new(Inner { service, facts, cause }))
    }

    /// What kind of failure it is.
    pub fn kind(&self) -> ErrorKind {
        self.0.cause.kind
    }

    /// The name of the service that was called.
    pub fn service(&self) -> &'static str {
        self.0.service
    }

    /// Was nobody left to ask: no instance known, every breaker open, or every instance that was tried refused?
    pub fn is_down(&self) -> bool {
        match self.0.cause.kind {
            ErrorKind::NoInstance | ErrorKind::AllOpen | ErrorKind::Skipped => true,
            ErrorKind::Refused => self.0.facts.all_refused,
            _ => false,
        }
    }

    /// Did the last attempt or the whole call take too long?
    pub fn is_timeout(&self) -> bool {
        matches!(self.0.cause.kind, ErrorKind::Timeout | ErrorKind::Deadline)
    }

    /// Could no connection be made?
    pub fn is_refused(&self) -> bool {
        self.0.cause.kind == ErrorKind::Refused
    }

    /// The status of the answer, if there was one that is not a success.
    pub fn status(&self) -> Option<StatusCode> {
        self.0.cause.status
    }

    /// Why the service said no, in its own words.
    pub fn reason(&self) -> Option<&str> {
        self.0.cause.reason.as_deref()
    }

    /// The instance that was tried last.
    pub fn instance(&self) -> Option<&Arc<Instance>> {
        self.0.facts.instance.as_ref()
    }

    /// How many instances were tried.
    pub fn attempts(&self) -> u32 {
        self.0.facts.attempts
    }

    /// How long the call took.
    pub fn elapsed(&self) -> Duration {
        self.0.facts.elapsed
    }

    /// May any byte of the request have left, in any attempt? If not, nothing can have happened.
    pub fn was_sent(&self) -> bool {
        self.0.facts.sent
    }

    /// When it is worth calling again: the next retest of an open breaker, or what the service asked for.
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.cause.retry_after
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { service, facts, cause } = &*self.0;
        match &facts.instance {
            Some(instance) => write!(f, "{service} instance {}", instance.number)?,
            None => write!(f, "{service}")?,
        }
        write!(f, ": {}", cause.kind)?;
        if self.is_timeout() {
            write!(f, " after {} ms", facts.elapsed.as_millis())?;
        }
        if let Some(status) = cause.status {
            write!(f, " ({})", status.as_u16())?;
        }
        if let Some(reason) = &cause.reason {
            write!(f, ": {reason}")?;
        }
        if facts.attempts > 1 {
            write!(f, ", {} attempts", facts.attempts)?;
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = &*self.0;
        f.debug_struct("Error")
            .field("kind", &inner.cause.kind)
            .field("service", &inner.service)
            .field("facts", &inner.facts)
            .field("status", &inner.cause.status)
            .field("reason", &inner.cause.reason)
            .field("retry_after", &inner.cause.retry_after)
            .field("source", &inner.cause.source)
            .finish()
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.cause.source.as_deref().map(|source| source as _)
    }
}
