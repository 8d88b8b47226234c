//! Why the roster says no.

/// A call the roster does not do, with the reason in words for whoever made it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refused {
    pub(crate) kind: Kind,
    pub(crate) reason: String,
}

/// What the caller can do about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The call is wrong: correct it.
    Invalid,
    /// The instance is not listed: register again.
    Unknown,
    /// Another instance or a later incarnation is in its place: stop.
    Conflict,
    /// Whoever asks may not do that.
    Forbidden,
    /// A limit is reached: try later.
    Full,
}

impl Refused {
    pub(crate) fn new(kind: Kind, reason: impl Into<String>) -> Self {
        Self { kind, reason: reason.into() }
    }
}
