//! `mainstay-registry drain`.

use std::process::ExitCode;
use std::time::Duration;

use mainstay_contracts::registry::{Drain as Call, InstanceId, Undrain};

use super::{Common, Failed};

/// What an answer may take beyond the deadline.
const BEYOND: Duration = Duration::from_secs(10);

#[derive(Debug, clap::Args)]
#[command(after_help = "\
What has begun goes on, and the instance stays listed until it leaves.

Examples:
  mainstay-registry drain ratings ratings-1
  mainstay-registry drain ratings ratings-1 --deadline 5000
  mainstay-registry drain ratings ratings-1 --undo")]
pub(crate) struct Drain {
    /// The service
    service: String,

    /// The instance's id, as `list` shows it
    instance: InstanceId,

    /// How long to wait until those who watch know, in milliseconds
    #[arg(long, value_name = "MS", default_value_t = 1000, value_parser = clap::value_parser!(u64).range(..=60_000))]
    deadline: u64,

    /// Let it have calls again
    #[arg(long, conflicts_with = "deadline")]
    undo: bool,

    #[command(flatten)]
    common: Common,
}

impl Drain {
    #[expect(clippy::print_stdout, reason = "this is the command's answer")]
    pub(super) async fn run(self) -> Result<ExitCode, Failed> {
        let Self { service, instance: id, deadline, undo, common } = self;
        let registry = common.registry()?;
        if undo {
            let undrained = registry.ask(&Undrain { service, id: id.clone(), incarnation: None }, BEYOND).await?;
            if common.json {
                println!("{{\"revision\":{}}}", undrained.revision);
            } else {
                println!("{id} takes calls again, from revision {} on", undrained.revision);
            }
            return Ok(ExitCode::SUCCESS);
        }
        let limit = Duration::from_millis(deadline) + BEYOND;
        let call = Call { service, id: id.clone(), incarnation: None, deadline_ms: deadline };
        let drained = registry.ask(&call, limit).await?;
        if common.json {
            println!("{}", serde_json::to_string(&drained).expect("answers are plain data"));
        } else {
            println!("{id} drains, from revision {} on; {} who watch know", drained.revision, drained.told);
            if drained.untold > 0 {
                println!("{} had not been told within {deadline} ms", drained.untold);
            }
        }
        Ok(if drained.untold == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}
