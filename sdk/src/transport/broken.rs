//! Why there is no answer.

use std::error::Error as StdError;
use std::fmt;
use std::io;

#[derive(Debug)]
pub(crate) enum Broken {
    /// No connection could be made; nothing was sent.
    Refused(io::Error),
    /// Our own side could not even try; nothing was sent.
    NoSocket(io::Error),
    /// The connection broke.
    Connection(hyper::Error),
    /// The answer is larger than so many bytes.
    TooLarge(usize),
}

/// "Too many open files", in this process and in the system: as every Unix numbers them.
const EMFILE: i32 = 24;
const ENFILE: i32 = 23;

impl Broken {
    pub(super) fn of_connect(error: io::Error) -> Self {
        let is_ours = matches!(error.raw_os_error(), Some(EMFILE | ENFILE))
            || matches!(error.kind(), io::ErrorKind::AddrNotAvailable | io::ErrorKind::OutOfMemory);
        if is_ours { Self::NoSocket(error) } else { Self::Refused(error) }
    }
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(_) => f.write_str("connection refused"),
            Self::NoSocket(_) => f.write_str("no socket left on this machine"),
            Self::Connection(_) => f.write_str("connection broken"),
            Self::TooLarge(limit) => write!(f, "answer larger than {limit} bytes"),
        }
    }
}

impl StdError for Broken {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            Self::Refused(error) | Self::NoSocket(error) => Some(error),
            Self::Connection(error) => Some(error),
            Self::TooLarge(_) => None,
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
            assert_eq!(matches!(Broken::of_connect(error), Broken::NoSocket(_)), ours);
        }
    }
}
