//! What the command line of `app` says.

use std::io;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, ValueEnum};
use futures_util::FutureExt as _;
use mainstay::serve;

use super::{Config, Flow, run};
use crate::program;
use crate::reach::Reach;

/// Goes through sensor and worker each second, and logs what came of it.
///
/// It may be started before the others: it waits for them, and goes on when they come.
#[derive(Debug, Parser)]
#[command(name = "app", version, after_help = EXAMPLES)]
pub struct Args {
    /// How readings become results
    #[arg(long, value_enum, value_name = "HOW", default_value = "calls")]
    by: By,

    /// How often it asks, by calls
    #[arg(long, value_name = "TIME", value_parser = program::interval, default_value = "1s")]
    every: Duration,

    /// Where it listens; 0 takes a free port
    #[arg(long, value_name = "P", default_value_t = 9003)]
    port: u16,

    #[command(flatten)]
    reach: Reach,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum By {
    /// It asks a sensor, and then a worker
    Calls,
    /// It takes what workers publish
    Messages,
}

const EXAMPLES: &str = "\
Examples, with mainstay-registry, sensor and worker running, or not yet:
  app                                   asks each second
  app --by messages                     takes what workers publish; this needs hub too
  curl http://127.0.0.1:9003/cycles     the latest cycles";

impl Args {
    /// Goes on until ^C or SIGTERM.
    pub async fn start(self) -> ExitCode {
        let _log = program::log();
        program::exit_code("app", self.run().await)
    }

    async fn run(self) -> io::Result<()> {
        let ended = serve::ended()?.shared();
        let busy = "is an app running already? another one may listen elsewhere: --port";
        let listener = program::listen(self.port, busy).await?;
        program::say(format_args!("app on http://{}", listener.local_addr()?));
        let flow = match self.by {
            By::Calls => Flow::Calls(self.every),
            By::Messages => match self.reach.messages(ended.clone()).await? {
                Some(messages) => Flow::Messages(messages),
                None => return Ok(()),
            },
        };
        run(Config { flow, registry: self.reach.registry }, listener, ended).await
    }
}
