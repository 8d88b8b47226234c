//! What the command line of `sensor` says.

use std::io;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use futures_util::FutureExt as _;
use mainstay::serve;

use super::{Config, run};
use crate::program;
use crate::reach::Reach;

/// Measures three numbers when it is asked, and by itself each second.
#[derive(Debug, Parser)]
#[command(name = "sensor", version, after_help = EXAMPLES)]
pub struct Args {
    /// Its own number: it is registered as sensor-N
    #[arg(long, value_name = "N", default_value_t = 1)]
    number: u32,

    /// Where it listens; 0 takes a free port
    #[arg(long, value_name = "P", default_value_t = 9001)]
    port: u16,

    /// How often it measures by itself
    #[arg(long, value_name = "TIME", value_parser = program::interval, default_value = "1s")]
    every: Duration,

    #[command(flatten)]
    reach: Reach,
}

const EXAMPLES: &str = "\
Examples, with mainstay-registry and hub running:
  sensor                        sensor 1, on http://127.0.0.1:9001
  sensor --number 2 --port 0    one more, on a free port
  sensor --every 10ms           a hundred readings a second for the workers
  curl http://127.0.0.1:9001/";

impl Args {
    /// Measures until ^C or SIGTERM.
    pub async fn start(self) -> ExitCode {
        let _log = program::log();
        program::exit_code("sensor", self.run().await)
    }

    async fn run(self) -> io::Result<()> {
        let ended = serve::ended()?.shared();
        let busy = "is a sensor running already? another one may listen elsewhere: --number 2 --port 0";
        let listener = program::listen(self.port, busy).await?;
        program::say(format_args!("sensor {} on http://{}", self.number, listener.local_addr()?));
        let Some(messages) = self.reach.messages(ended.clone()).await? else { return Ok(()) };
        let config = Config { number: self.number, every: self.every, registry: self.reach.registry, messages };
        run(config, listener, ended).await
    }
}
