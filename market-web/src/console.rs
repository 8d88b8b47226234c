//! The console: one line an event, on standard output and on the page's tape.

use std::{fmt, io};

use tracing::{Event, Metadata, Subscriber};
use tracing_appender::non_blocking::WorkerGuard;
use tracing_subscriber::filter::FilterExt as _;
use tracing_subscriber::fmt::format::{FormatFields, Writer};
use tracing_subscriber::fmt::{FmtContext, FormatEvent};
use tracing_subscriber::layer::{Context, Filter, SubscriberExt as _};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer as _, fmt as console};

use crate::tape::{self, Tape};

/// What the story is made of: which instance each call uses is a debug line of the SDK.
const STORY: &str = "info,mainstay=debug";

/// Starts the console of this process and the tape that hears the same lines.
///
/// `MARKET_LOG` chooses what the console prints; the tape always hears the whole story. The console goes on until the
/// guard is dropped. Its lines go through a thread of their own, and are lost if nobody reads them: no page waits for a
/// terminal.
pub fn start() -> (Tape, WorkerGuard) {
    let tape = Tape::default();
    let chosen = EnvFilter::try_from_env("MARKET_LOG").unwrap_or_else(|_| EnvFilter::new(STORY));
    let (stdout, guard) = tracing_appender::non_blocking(io::stdout());
    let printed = console::layer().with_writer(stdout).with_ansi(false).log_internal_errors(false).event_format(Plain);
    tracing_subscriber::registry()
        .with(tape.clone().with_filter(EnvFilter::new(STORY).and(Told)))
        .with(printed.with_filter(chosen.and(Told)))
        .init();
    (tape, guard)
}

/// Leaves out the lines that nobody reads.
struct Told;

impl<S> Filter<S> for Told {
    fn enabled(&self, _: &Metadata<'_>, _: &Context<'_, S>) -> bool {
        true
    }

    fn event_enabled(&self, event: &Event<'_>, _: &Context<'_, S>) -> bool {
        tape::is_told(&tape::message(event))
    }
}

/// The message and nothing else: the lines are made to be read aloud and to be found by `grep`.
struct Plain;

impl<S, N> FormatEvent<S, N> for Plain
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(&self, _: &FmtContext<'_, S, N>, mut writer: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        writeln!(writer, "{}", tape::message(event))
    }
}
