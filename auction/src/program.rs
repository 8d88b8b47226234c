//! What the programs have in common: words for people, a log and a port.

use std::fmt;
use std::io::{self, IsTerminal as _, Write as _};
use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;

use mainstay::Address;
use tokio::net::TcpListener;
use tracing::Level;
use tracing_appender::non_blocking::WorkerGuard;
use tracing_subscriber::EnvFilter;

/// Where the registry is unless it is said, or stands in the environment.
pub(crate) const REGISTRY: &str = "http://127.0.0.1:8500";

/// Where messages are kept unless it is said: by a hub that is in this registry.
pub(crate) fn messages(said: Option<&str>, registry: &Address) -> String {
    said.map_or_else(|| format!("hub://{}", registry.authority()), str::to_owned)
}

/// Logs on the standard error, from this level on unless `RUST_LOG` says otherwise, until the guard is dropped.
///
/// Lines go through a thread of their own, and are lost if nobody reads them: no auction waits for a terminal.
pub(crate) fn log(level: Level) -> WorkerGuard {
    let (stderr, guard) = tracing_appender::non_blocking(io::stderr());
    let filter = EnvFilter::builder().with_default_directive(level.into()).from_env_lossy();
    let colours = io::stderr().is_terminal();
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(stderr).with_ansi(colours).init();
    guard
}

/// Listens, or says in one line why not; what to do about a busy port is the program's own.
pub(crate) async fn listen(address: SocketAddr, busy: &str) -> io::Result<TcpListener> {
    TcpListener::bind(address).await.map_err(|error| {
        let why = match error.kind() {
            io::ErrorKind::AddrInUse => format!("port {} is in use; {busy}", address.port()),
            _ => format!("cannot listen on {address}: {error}"),
        };
        io::Error::new(error.kind(), why)
    })
}

/// Says a line on the standard output. Whoever has stopped reading it, such as `head`, has heard enough.
pub(crate) fn say(line: impl fmt::Display) {
    let _ = writeln!(io::stdout(), "{line}");
}

/// Says on the standard error why the program has not done what it should.
pub(crate) fn complain(program: &str, why: impl fmt::Display) {
    let _ = writeln!(io::stderr(), "{program}: {why}");
}

/// How a program ends that serves until it is told to stop.
pub(crate) fn exit_code(program: &str, result: io::Result<()>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(program, error);
            ExitCode::FAILURE
        }
    }
}

/// A duration such as `700ms` or `1s 500ms`, within bounds.
pub(crate) fn duration(text: &str, least: Duration, most: Duration) -> Result<Duration, String> {
    let duration = humantime::parse_duration(text).map_err(|error| error.to_string())?;
    if (least..=most).contains(&duration) {
        return Ok(duration);
    }
    let [least, most] = [least, most].map(humantime::format_duration);
    Err(format!("not from {least} to {most}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_within_bounds() {
        let parsed = |text| duration(text, Duration::from_millis(1), Duration::from_secs(10));
        assert_eq!(parsed("700ms"), Ok(Duration::from_millis(700)));
        assert_eq!(parsed("1s 500ms"), Ok(Duration::from_millis(1500)));
        assert_eq!(parsed("10s"), Ok(Duration::from_secs(10)));
        for (text, why) in [
            ("0s", "not from 1ms to 10s"),
            ("11s", "not from 1ms to 10s"),
            ("5", "time unit needed"),
            ("soon", "expected number"),
            ("", "empty"),
        ] {
            let error = parsed(text).unwrap_err();
            assert!(error.contains(why), "{text:?}: {error:?} does not say {why:?}");
        }
    }
}
