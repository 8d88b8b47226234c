//! What the programs have in common: words for people, a log and a port.

use std::fmt;
use std::io::{self, IsTerminal as _, Write as _};
use std::net::Ipv4Addr;
use std::process::ExitCode;
use std::time::Duration;

use tokio::net::TcpListener;
use tracing::Level;
use tracing_appender::non_blocking::WorkerGuard;
use tracing_subscriber::EnvFilter;

/// The longest that something may be told to take, or to wait.
const LONGEST: Duration = Duration::from_secs(60 * 60);

/// Logs on the standard error, unless `RUST_LOG` says otherwise from `info` on, until the guard is dropped.
///
/// Lines go through a thread of their own, and are lost if nobody reads them: no task waits for a terminal.
pub(crate) fn log() -> WorkerGuard {
    let (stderr, guard) = tracing_appender::non_blocking(io::stderr());
    let filter = EnvFilter::builder().with_default_directive(Level::INFO.into()).from_env_lossy();
    let colours = io::stderr().is_terminal();
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(stderr).with_ansi(colours).init();
    guard
}

/// Listens on this machine only, or says in one line why not; what to do about a busy port is the program's own.
pub(crate) async fn listen(port: u16, busy: &str) -> io::Result<TcpListener> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.map_err(|error| {
        let why = match error.kind() {
            io::ErrorKind::AddrInUse => format!("port {port} is in use; {busy}"),
            _ => format!("cannot listen on port {port}: {error}"),
        };
        io::Error::new(error.kind(), why)
    })
}

/// Says a line on the standard output. Whoever has stopped reading it has heard enough.
pub(crate) fn say(line: impl fmt::Display) {
    let _ = writeln!(io::stdout(), "{line}");
}

/// How a program ends that serves until it is told to stop.
pub(crate) fn exit_code(program: &str, result: io::Result<()>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "{program}: {error}");
            ExitCode::FAILURE
        }
    }
}

/// A duration such as `700ms` or `1s 500ms`, of an hour at most.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    match humantime::parse_duration(text) {
        Ok(duration) if duration <= LONGEST => Ok(duration),
        Ok(_) => Err(format!("longer than {}", humantime::format_duration(LONGEST))),
        Err(error) => Err(error.to_string()),
    }
}

/// As [`duration`], and not nothing.
pub(crate) fn interval(text: &str) -> Result<Duration, String> {
    match duration(text)? {
        Duration::ZERO => Err("nothing happens every 0 s".to_owned()),
        duration => Ok(duration),
    }
}
