//! What the lab does not do.

use std::error::Error;
use std::{fmt, io};

use rustix::io::Errno;

/// Why the lab left everything as it was.
#[derive(Debug)]
pub(crate) enum LabRefused {
    /// It never started an instance of this number.
    Unknown(u32),
    /// The instance is killed.
    Killed(u32),
    /// The instance runs already.
    Runs(u32),
    /// The registry knows it as somebody else's.
    Taken(u32),
    /// There are not as many free numbers as instances were wanted, up to this one.
    Full(u32),
    /// The port is somebody else's.
    Busy(u16),
    /// The registry was started, and does not answer.
    NoRegistry,
    /// The system would not.
    System(io::Error),
}

impl LabRefused {
    /// Why a signal did not reach an instance: it may have ended a moment ago, by itself.
    pub(super) fn of(error: io::Error, number: u32) -> Self {
        let ended = error.kind() == io::ErrorKind::NotFound
            || error
                .raw_os_error()
                .is_some_and(|code| [Errno::CHILD, Errno::SRCH].map(Errno::raw_os_error).contains(&code));
        if ended { Self::Killed(number) } else { Self::System(error) }
    }
}

impl fmt::Display for LabRefused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown(number) => write!(f, "the lab has no instance {number}"),
            Self::Killed(number) => write!(f, "instance {number} is killed: start it first"),
            Self::Runs(number) => write!(f, "instance {number} runs already"),
            Self::Taken(number) => write!(f, "number {number} is that of an instance elsewhere, says the registry"),
            Self::Full(most) => write!(f, "the lab has numbers up to {most}, and too few of them are free"),
            Self::Busy(port) => write!(f, "port {port} is busy: another program listens on it"),
            Self::NoRegistry => f.write_str("the registry was started, but does not answer"),
            Self::System(_) => f.write_str("the system refused"),
        }
    }
}

impl Error for LabRefused {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::System(error) => Some(error),
            _ => None,
        }
    }
}

impl From<io::Error> for LabRefused {
    fn from(error: io::Error) -> Self {
        Self::System(error)
    }
}
