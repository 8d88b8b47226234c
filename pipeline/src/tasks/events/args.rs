//! What the command line of `events` says.

use std::io;
use std::process::ExitCode;

use clap::Parser;
use futures_util::FutureExt as _;
use mainstay::serve;
use mainstay_records::Records;

use super::{Config, run};
use crate::program;
use crate::reach::{Reach, opened};

/// Keeps a record of every task, has it done, and answers whoever waits for it.
#[derive(Debug, Parser)]
#[command(name = "events", version, after_help = EXAMPLES)]
pub struct Args {
    /// Where it listens; 0 takes a free port
    #[arg(long, value_name = "P", default_value_t = 4001)]
    port: u16,

    /// Where records are kept: sqlite:PATH, or postgres://USER@HOST:PORT/DATABASE
    #[arg(long, env = "MAINSTAY_RECORDS", value_name = "URL", default_value = "sqlite:data/tasks.db")]
    records: String,

    #[command(flatten)]
    reach: Reach,
}

const EXAMPLES: &str = "\
Examples, with mainstay-registry and hub running, and tasks and a backend for something to be told of:
  events                                                serves on http://127.0.0.1:4001
  curl 'http://127.0.0.1:4001/tasks?most=3'             the newest three
  curl http://127.0.0.1:4001/tasks/ID                   one, with its steps
  curl \"http://127.0.0.1:4001/tasks?until=$(date -d '1 minute ago' +%s000)\"   as everything was a minute ago";

impl Args {
    /// Keeps records until ^C or SIGTERM.
    pub async fn start(self) -> ExitCode {
        let _log = program::log();
        program::exit_code("events", self.run().await)
    }

    async fn run(self) -> io::Result<()> {
        let ended = serve::ended()?.shared();
        let busy = "is an events service running already? another one may listen elsewhere: --port";
        let listener = program::listen(self.port, busy).await?;
        program::say(format_args!("events on http://{}", listener.local_addr()?));
        let Some(messages) = self.reach.messages(ended.clone()).await? else { return Ok(()) };
        let open = async || Records::open(&self.records, messages.clone()).await;
        match opened("records", open, mainstay_records::Error::is_unavailable, ended.clone()).await? {
            Some(records) => run(Config { registry: self.reach.registry, messages, records }, listener, ended).await,
            None => Ok(()),
        }
    }
}
