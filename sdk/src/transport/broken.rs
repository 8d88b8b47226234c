//! Why there is no answer.

use std::error::Error as StdError;
use std::fmt;
use std::io;
use std::sync::Arc;

#[derive(Debug)]
pub(crate) enum Broken {
    /// No connection could be made; nothing was sent.
    Unmade(Unmade),
    /// The connection broke.
    Connection(hyper::Error),
    /// The limit came first.
    TimedOut,
    /// The answer is larger than so many bytes.
    TooLarge(usize),
}

/// Why there is no connection. Many may have waited for it, and each is told.
#[derive(Debug, Clone)]
pub(crate) enum Unmade {
    /// Nobody is there, or whoever is does not want it.
    Refused(Arc<io::Error>),
    /// Somebody is there, and no TLS was agreed upon.
    #[cfg_attr(not(feature = "tls"), expect(dead_code, reason = "only TLS has a handshake that can fail"))]
    Handshake(Arc<io::Error>),
    /// Our own side could not even try.
    NoSocket(Arc<io::Error>),
    /// The instance needs TLS, and there is none on our side.
    NoTls,
}

/// "Too many open files", in this process and in the system: as every Unix numbers them.
const EMFILE: i32 = 24;
const ENFILE: i32 = 23;

impl Unmade {
    pub(super) fn of_connect(error: io::Error) -> Self {
        let is_ours = matches!(error.raw_os_error(), Some(EMFILE | ENFILE))
            || matches!(error.kind(), io::ErrorKind::AddrNotAvailable | io::ErrorKind::OutOfMemory);
        let error = Arc::new(error);
        if is_ours { Self::NoSocket(error) } else { Self::Refused(error) }
    }

    #[cfg(feature = "tls")]
    pub(super) fn of_handshake(error: io::Error) -> Self {
        Self::Handshake(Arc::new(error))
    }
}

impl From<Unmade> for Broken {
    fn from(unmade: Unmade) -> Self {
        Self::Unmade(unmade)
    }
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unmade(Unmade::Refused(_)) => f.write_str("connection refused"),
            Self::Unmade(Unmade::Handshake(_)) => f.write_str("TLS handshake failed"),
            Self::Unmade(Unmade::NoSocket(_)) => f.write_str("no socket left on this machine"),
            Self::Unmade(Unmade::NoTls) => f.write_str("an https address, and no TLS here"),
            Self::Connection(_) => f.write_str("connection broken"),
            Self::TimedOut => f.write_str("timed out"),
            Self::TooLarge(limit) => write!(f, "answer larger than {limit} bytes"),
        }
    }
}

impl StdError for Broken {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            Self::Unmade(Unmade::Refused(error) | Unmade::Handshake(error) | Unmade::NoSocket(error)) => Some(&**error),
            Self::Connection(error) => Some(error),
            Self::Unmade(Unmade::NoTls) | Self::TimedOut | Self::TooLarge(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn having_no_socket_left_is_nobody_elses_fault() {
        for (error, ours) in [
            (io::Error::from_raw_os_error(EMFILE), true),
            (io::Error::from_raw_os_error(ENFILE), true),
            (io::ErrorKind::AddrNotAvailable.into(), true),
            (io::ErrorKind::ConnectionRefused.into(), false),
            (io::ErrorKind::HostUnreachable.into(), false),
        ] {
            assert_eq!(matches!(Unmade::of_connect(error), Unmade::NoSocket(_)), ours);
        }
    }
}
