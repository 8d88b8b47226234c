//! What the command line of `tasks` says.

use std::io;
use std::process::ExitCode;

use clap::Parser;
use futures_util::FutureExt as _;
use mainstay::serve;

use super::{Config, run};
use crate::program;
use crate::reach::Reach;
use crate::tasks::KINDS;

/// Takes tasks, and waits for their results.
#[derive(Debug, Parser)]
#[command(name = "tasks", version, after_help = after_help())]
pub struct Args {
    /// Where it listens; 0 takes a free port
    #[arg(long, value_name = "P", default_value_t = 4000)]
    port: u16,

    #[command(flatten)]
    reach: Reach,
}

fn after_help() -> String {
    let kinds: Vec<_> = KINDS.iter().map(|kind| format!("{} {}", kind.letter, kind.name)).collect();
    format!(
        "A task is an object of two properties. Their first letter says what is done: {}.\n\
         Two texts are concatenated. Operands are in order of their names.\n\n{EXAMPLES}",
        kinds.join(", ")
    )
}

const EXAMPLES: &str = "\
Examples, with mainstay-registry, hub, events and a backend running:
  tasks                                                       serves on http://127.0.0.1:4000
  curl --json '{\"a1\":5,\"a2\":10}' http://127.0.0.1:4000/task     {\"message\":\"OK\",\"result\":\"15\"}
  curl --json '{\"d1\":4,\"d2\":7}' http://127.0.0.1:4000/task      {\"message\":\"OK\",\"result\":\"0.5714285714285714\"}
  curl --json '{\"d1\":4,\"d2\":0}' http://127.0.0.1:4000/task      {\"message\":\"FAIL\",\"reason\":\"division by zero\"}
  curl -i --json '{\"a1\":5,\"a2\":10}' http://127.0.0.1:4000/task  the same once more: task-from: record
  curl http://127.0.0.1:4001/tasks                            what has become of them";

impl Args {
    /// Takes tasks until ^C or SIGTERM.
    pub async fn start(self) -> ExitCode {
        let _log = program::log();
        program::exit_code("tasks", self.run().await)
    }

    async fn run(self) -> io::Result<()> {
        let ended = serve::ended()?.shared();
        let busy = "is a frontend running already? another one may listen elsewhere: --port";
        let listener = program::listen(self.port, busy).await?;
        program::say(format_args!("tasks on http://{}", listener.local_addr()?));
        match self.reach.messages(ended.clone()).await? {
            Some(messages) => run(Config { registry: self.reach.registry, messages }, listener, ended).await,
            None => Ok(()),
        }
    }
}
