//! What the command line of `backend` says: which backends run in this process, and where.

use std::io;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use futures_util::FutureExt as _;
use mainstay::serve;
use tokio::task::JoinSet;

use super::{Config, run};
use crate::program;
use crate::reach::Reach;

/// The port before backend 1's.
const BASE_PORT: u16 = 4010;

/// Does tasks.
///
/// Those who are there share what there is to do: start and end backends as you like.
#[derive(Debug, Parser)]
#[command(name = "backend", version, after_help = EXAMPLES)]
pub struct Args {
    /// Run backends 1 to N in this process
    #[arg(long, value_name = "N", group = "which", value_parser = clap::value_parser!(u16).range(1..=999))]
    count: Option<u16>,

    /// Run backend N alone, with its health path on port 4010 + N [default: 1]
    #[arg(long, value_name = "N", group = "which", value_parser = clap::value_parser!(u16).range(1..=999))]
    instance: Option<u16>,

    /// Where it listens in place of that; 0 takes a free port
    #[arg(long, value_name = "P", conflicts_with = "count")]
    port: Option<u16>,

    /// How long it thinks before each task
    #[arg(long, value_name = "TIME", value_parser = program::duration, default_value = "0s")]
    delay: Duration,

    #[command(flatten)]
    reach: Reach,
}

const EXAMPLES: &str = "\
Examples, with mainstay-registry, hub, events and tasks running:
  backend                           backend 1
  backend --count 3                 backends 1, 2 and 3; one ^C ends them all
  backend --instance 4              one more, in a terminal of its own: ^C, ^Z and fg are its own too
  backend --instance 5 --delay 2s   slow enough to kill it in the middle of a task: another one does it
  curl http://127.0.0.1:4011/health";

impl Args {
    /// Runs the backends that these arguments describe, until ^C or SIGTERM.
    pub async fn start(self) -> ExitCode {
        let _log = program::log();
        program::exit_code("backend", self.run().await)
    }

    async fn run(self) -> io::Result<()> {
        let ended = serve::ended()?.shared();
        let mut listeners = Vec::new();
        for (number, port) in self.ports() {
            let busy = format!("is backend {number} running already? start another with --instance");
            let listener = program::listen(port, &busy).await?;
            program::say(format_args!("backend {number} on http://{}", listener.local_addr()?));
            listeners.push((number, listener));
        }
        let Some(messages) = self.reach.messages(ended.clone()).await? else { return Ok(()) };
        let mut backends = JoinSet::new();
        for (number, listener) in listeners {
            let (registry, messages) = (self.reach.registry.clone(), messages.clone());
            let config = Config { number: number.into(), delay: self.delay, registry, messages };
            backends.spawn(run(config, listener, ended.clone()));
        }
        while let Some(backend) = backends.join_next().await {
            backend??;
        }
        Ok(())
    }

    fn ports(&self) -> Vec<(u16, u16)> {
        let numbers = match self.count {
            Some(count) => 1..=count,
            None => {
                let number = self.instance.unwrap_or(1);
                number..=number
            }
        };
        numbers.map(|number| (number, self.port.unwrap_or(BASE_PORT + number))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(line: &str) -> Result<Args, String> {
        let words = std::iter::once("backend").chain(line.split_whitespace());
        Args::try_parse_from(words).map_err(|error| error.to_string())
    }

    #[test]
    fn arguments_say_which_backends_run_where() {
        for (line, expected) in [
            ("", vec![(1, 4011)]),
            ("--instance 2", vec![(2, 4012)]),
            ("--count 3", vec![(1, 4011), (2, 4012), (3, 4013)]),
            ("--instance 4 --port 0", vec![(4, 0)]),
            ("--instance 999", vec![(999, 5009)]),
        ] {
            assert_eq!(args(line).unwrap().ports(), expected, "{line}");
        }
    }

    #[test]
    fn arguments_that_are_wrong_are_refused_with_the_reason() {
        for (line, why) in [
            ("--count 0", "0 is not in 1..=999"),
            ("--instance 1000", "1000 is not in 1..=999"),
            ("--count 2 --instance 1", "cannot be used with"),
            ("--count 2 --port 4011", "cannot be used with"),
            ("--delay 1", "time unit needed"),
            ("--delay 2h", "longer than 1h"),
            ("--registry https://x:1", "scheme"),
            ("3", "unexpected argument"),
        ] {
            let error = args(line).unwrap_err();
            assert!(error.contains(why), "{line}: {error:?} does not say {why:?}");
        }
    }
}
