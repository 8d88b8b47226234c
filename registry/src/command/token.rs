//! `mainstay-registry token`.

use std::path::PathBuf;
use std::process::ExitCode;

use mainstay_registry::{Rights, Token};

use super::Failed;

#[derive(Debug, clap::Args)]
#[command(after_help = "\
A right is the beginning of service names: 'ratings' stands for ratings and ratings-2, '' for all of them. The token is
printed once; the file has only its hash. A registry that runs with the file reads it again when it changes.

Examples:
  mainstay-registry token market --read ''
  mainstay-registry token ratings --register ratings --file /etc/mainstay/tokens.json")]
pub(crate) struct New {
    /// What the token is called; another one of this name stops being good
    name: String,

    /// Services that may be found
    #[arg(long, value_name = "BEGINNING")]
    read: Vec<String>,

    /// Services that may be registered, drained and released, and found as well
    #[arg(long, value_name = "BEGINNING")]
    register: Vec<String>,

    /// Where tokens are kept
    #[arg(long, env = "MAINSTAY_REGISTRY_TOKENS", value_name = "FILE", default_value = "data/tokens.json")]
    file: PathBuf,
}

impl New {
    #[expect(clippy::print_stdout, reason = "this is the command's answer")]
    pub(super) fn run(self) -> Result<ExitCode, Failed> {
        let Self { name, read, register, file } = self;
        if read.is_empty() && register.is_empty() {
            return Err(Failed::Unfit(
                "a token without a right is good for nothing: say --read or --register".to_owned(),
            ));
        }
        let token = Token::new().map_err(|error| Failed::Unfit(error.to_string()))?;
        token.add(&file, &name, Rights { read, register }).map_err(|error| Failed::Unfit(error.to_string()))?;
        println!("{}", token.reveal());
        Ok(ExitCode::SUCCESS)
    }
}
