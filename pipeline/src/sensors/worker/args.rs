//! What the command line of `worker` says.

use std::io;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use futures_util::FutureExt as _;
use mainstay::serve;

use super::{Config, run};
use crate::program;
use crate::reach::Reach;

/// Squares numbers when it is asked, and the readings of sensors as they come.
///
/// Those who are there share the readings: start and end workers as you like.
#[derive(Debug, Parser)]
#[command(name = "worker", version, after_help = EXAMPLES)]
pub struct Args {
    /// Its own number: it is registered as worker-N
    #[arg(long, value_name = "N", default_value_t = 1)]
    number: u32,

    /// Where it listens; 0 takes a free port [default: 9002 for worker 1, a free port for others]
    #[arg(long, value_name = "P")]
    port: Option<u16>,

    /// How long it thinks before each reading
    #[arg(long, value_name = "TIME", value_parser = program::duration, default_value = "0s")]
    delay: Duration,

    #[command(flatten)]
    reach: Reach,
}

const EXAMPLES: &str = "\
Examples, with mainstay-registry and hub running:
  worker                 worker 1, on http://127.0.0.1:9002
  worker --number 2      one more takes its share
  curl --json '[7,4294967295]' http://127.0.0.1:9002/     [49,18446744065119617025]";

impl Args {
    /// Squares until ^C or SIGTERM.
    pub async fn start(self) -> ExitCode {
        let _log = program::log();
        program::exit_code("worker", self.run().await)
    }

    async fn run(self) -> io::Result<()> {
        let ended = serve::ended()?.shared();
        let listener = program::listen(self.port(), "is worker 1 running already? start another: --number 2").await?;
        program::say(format_args!("worker {} on http://{}", self.number, listener.local_addr()?));
        let Some(messages) = self.reach.messages(ended.clone()).await? else { return Ok(()) };
        let config = Config { number: self.number, delay: self.delay, registry: self.reach.registry, messages };
        run(config, listener, ended).await
    }

    fn port(&self) -> u16 {
        self.port.unwrap_or(if self.number == 1 { 9002 } else { 0 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_worker_1_has_a_port_that_is_known() {
        for (line, port) in [("", 9002), ("--number 2", 0), ("--number 2 --port 9012", 9012), ("--port 0", 0)] {
            let args = Args::try_parse_from(std::iter::once("worker").chain(line.split_whitespace())).unwrap();
            assert_eq!(args.port(), port, "{line}");
        }
    }
}
