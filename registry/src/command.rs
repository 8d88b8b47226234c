//! What an operator says to a running registry.

mod ask;
mod drain;
mod list;
mod release;
mod table;
mod token;
mod watch;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Subcommand;

use self::ask::{Failed, Registry};

/// A command to a running registry.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Print who is there: all services, or the instances of one
    List(list::List),
    /// Print every change of a service as it comes, until ^C
    Watch(watch::Watch),
    /// Ask that an instance gets no more calls, and wait until those who watch know
    Drain(drain::Drain),
    /// Say that a service's suspect instances are really lost
    Release(release::Release),
    /// Make a token, and add it to a file for --tokens
    Token(token::New),
}

impl Command {
    /// Does it, and says how that ended.
    #[expect(clippy::print_stderr, reason = "why a command fails is said on its standard error")]
    pub(crate) async fn run(self) -> ExitCode {
        let done = match self {
            Self::List(list) => list.run().await,
            Self::Watch(watch) => watch.run().await,
            Self::Drain(drain) => drain.run().await,
            Self::Release(release) => release.run().await,
            Self::Token(new) => new.run(),
        };
        match done {
            Ok(code) => code,
            Err(failed) => {
                eprintln!("mainstay-registry: {failed}");
                ExitCode::from(failed.code())
            }
        }
    }
}

/// What every command can be told.
#[derive(Debug, clap::Args)]
struct Common {
    /// Where the registry is
    #[arg(long, env = "MAINSTAY_REGISTRY", value_name = "ADDRESS", default_value = "http://127.0.0.1:8500")]
    registry: mainstay_contracts::Address,

    /// A token to show, if the registry asks for one
    #[arg(long, env = "MAINSTAY_REGISTRY_TOKEN", value_name = "TOKEN", hide_env_values = true)]
    token: Option<String>,

    /// The authority of a registry at an https address, in PEM
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,

    /// Print JSON, one value a line
    #[arg(long)]
    json: bool,
}

impl Common {
    fn registry(&self) -> Result<Registry, Failed> {
        Registry::new(self.registry.clone(), self.token.clone(), self.ca.as_deref())
    }
}
