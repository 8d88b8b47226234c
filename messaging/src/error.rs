//! Why a message was not published, received or settled.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// Why not.
///
/// | It | means |
/// |---|---|
/// | [`is_bad`](Error::is_bad) | the message, name or URL is wrong in itself: trying again does not help |
/// | [`is_unknown`](Error::is_unknown) | there is no such topic or channel: nobody has declared it |
/// | [`is_full`](Error::is_full) | there is no room for more until something is consumed |
/// | [`is_unavailable`](Error::is_unavailable) | whatever keeps the messages cannot be reached, or has not answered in time; it may have taken the message |
/// | [`is_expired`](Error::is_expired) | the delivery had run out: the message is somebody else's |
/// | [`is_unanswered`](Error::is_unanswered) | no reply came before the deadline |
#[derive(Debug, Clone)]
pub struct Error(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    kind: Kind,
    why: String,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Bad,
    Unknown,
    Full,
    Unavailable,
    Expired,
    Unanswered,
}

impl Error {
    fn new(kind: Kind, why: impl Into<String>) -> Self {
        Self(Arc::new(Inner { kind, why: why.into(), source: None }))
    }

    pub(crate) fn bad(why: impl fmt::Display) -> Self {
        Self::new(Kind::Bad, why.to_string())
    }

    pub(crate) fn unknown(why: impl Into<String>) -> Self {
        Self::new(Kind::Unknown, why)
    }

    pub(crate) fn full(why: impl Into<String>) -> Self {
        Self::new(Kind::Full, why)
    }

    pub(crate) fn unavailable(why: impl Into<String>) -> Self {
        Self::new(Kind::Unavailable, why)
    }

    pub(crate) fn expired() -> Self {
        Self::new(Kind::Expired, "the delivery had run out, and its message is somebody else's")
    }

    pub(crate) fn unanswered(after: Duration) -> Self {
        Self::new(Kind::Unanswered, format!("no reply within {} ms", after.as_millis()))
    }

    /// The same, with what is behind it.
    pub(crate) fn because(self, source: impl StdError + Send + Sync + 'static) -> Self {
        Self(Arc::new(Inner { kind: self.0.kind, why: self.0.why.clone(), source: Some(Box::new(source)) }))
    }

    /// Is the message, name or URL wrong in itself?
    pub fn is_bad(&self) -> bool {
        self.0.kind == Kind::Bad
    }

    /// Is there no such topic or channel?
    pub fn is_unknown(&self) -> bool {
        self.0.kind == Kind::Unknown
    }

    /// Is there no room until something is consumed?
    pub fn is_full(&self) -> bool {
        self.0.kind == Kind::Full
    }

    /// Could whatever keeps the messages not be reached, or did it not answer in time?
    pub fn is_unavailable(&self) -> bool {
        self.0.kind == Kind::Unavailable
    }

    /// Had the delivery run out?
    pub fn is_expired(&self) -> bool {
        self.0.kind == Kind::Expired
    }

    /// Did no reply come before the deadline?
    pub fn is_unanswered(&self) -> bool {
        self.0.kind == Kind::Unanswered
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.why)
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}
