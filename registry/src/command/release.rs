//! `mainstay-registry release`.

use std::process::ExitCode;
use std::time::Duration;

use mainstay_contracts::registry::Release as Call;

use super::{Common, Failed};

const LIMIT: Duration = Duration::from_secs(10);

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Instances are suspect when too many of a service stop beating at once: more likely than that all of them ended is that
the way to them was lost. They stay listed until they beat, for 15 min, or until somebody says that they are lost.

Example:
  mainstay-registry release ratings")]
pub(crate) struct Release {
    /// The service
    service: String,

    #[command(flatten)]
    common: Common,
}

impl Release {
    #[expect(clippy::print_stdout, reason = "this is the command's answer")]
    pub(super) async fn run(self) -> Result<ExitCode, Failed> {
        let Self { service, common } = self;
        let released = common.registry()?.ask(&Call { service: service.clone() }, LIMIT).await?;
        if common.json {
            println!("{}", serde_json::to_string(&released).expect("answers are plain data"));
        } else {
            println!("{} suspect instances of {service} are off the list", released.instances);
        }
        Ok(ExitCode::SUCCESS)
    }
}
