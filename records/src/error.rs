//! Why a record was not written or read.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;

/// Why not.
///
/// | It | means |
/// |---|---|
/// | [`is_bad`](Error::is_bad) | what was to be written, or the URL, is wrong in itself: trying again does not help |
/// | [`is_full`](Error::is_full) | there is no room: the disk is full, or a limit is reached |
/// | [`is_unavailable`](Error::is_unavailable) | the database is away or has not answered in time; it may have been written |
/// | [`is_foreign`](Error::is_foreign) | the database is not this program's: a newer one has written it, or another |
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
    Full,
    Unavailable,
    Foreign,
}

impl Error {
    fn new(kind: Kind, why: impl Into<String>) -> Self {
        Self(Arc::new(Inner { kind, why: why.into(), source: None }))
    }

    pub(crate) fn bad(why: impl fmt::Display) -> Self {
        Self::new(Kind::Bad, why.to_string())
    }

    pub(crate) fn full(why: impl Into<String>) -> Self {
        Self::new(Kind::Full, why)
    }

    pub(crate) fn unavailable(why: impl Into<String>) -> Self {
        Self::new(Kind::Unavailable, why)
    }

    pub(crate) fn foreign(why: impl Into<String>) -> Self {
        Self::new(Kind::Foreign, why)
    }

    /// The same, with what is behind it.
    pub(crate) fn because(self, source: impl StdError + Send + Sync + 'static) -> Self {
        Self(Arc::new(Inner { kind: self.0.kind, why: self.0.why.clone(), source: Some(Box::new(source)) }))
    }

    /// Is what was to be written, or the URL, wrong in itself?
    pub fn is_bad(&self) -> bool {
        self.0.kind == Kind::Bad
    }

    /// Is there no room for it?
    pub fn is_full(&self) -> bool {
        self.0.kind == Kind::Full
    }

    /// Is the database away, or has it not answered in time?
    pub fn is_unavailable(&self) -> bool {
        self.0.kind == Kind::Unavailable
    }

    /// Is the database another program's, or a newer one's?
    pub fn is_foreign(&self) -> bool {
        self.0.kind == Kind::Foreign
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
