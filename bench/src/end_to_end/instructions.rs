//! Instructions per call, by running this program under callgrind. They repeat, where times do not.
//!
//! Two runs differ in nothing but the number of calls, so that the difference is that of the calls: starting,
//! connecting and first allocations cancel out. The instances run outside, at full speed. What comes once in a while,
//! such as another connection because one was given back late, only adds: of several runs the least counts.

use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use serde::Serialize;
use tokio::time::timeout;

use super::contestant::Contestant;
use super::instances::Instances;
use super::rounds::Lane;
use crate::Failed;
use crate::child::Child;
use crate::child::find;

const FEW: u32 = 500;
const MANY: u32 = 1500;
const RUNS: usize = 3;
/// How long one run may take.
const PATIENCE: Duration = Duration::from_secs(120);

#[derive(Debug, Serialize)]
pub(crate) struct Count {
    pub(crate) contestant: Contestant,
    pub(crate) per_call: f64,
}

/// Counts everybody who is no proxy: of those, the client's side would be `raw` once more.
pub(crate) async fn count(lanes: &[Lane], instances: &Instances) -> Result<Vec<Count>, Failed> {
    let Some(valgrind) = find("valgrind") else {
        println!("instructions: skipped, as valgrind is not installed (Debian: apt-get install valgrind)");
        return Ok(Vec::new());
    };
    let mut counts = Vec::new();
    for contestant in lanes.iter().filter(|lane| lane.proxy.is_none()).map(|lane| lane.contestant) {
        let few = least(&valgrind, contestant, FEW, instances).await?;
        let many = least(&valgrind, contestant, MANY, instances).await?;
        counts.push(Count { contestant, per_call: many.saturating_sub(few) as f64 / f64::from(MANY - FEW) });
    }
    Ok(counts)
}

async fn least(valgrind: &Path, contestant: Contestant, calls: u32, instances: &Instances) -> Result<u64, Failed> {
    let mut least = u64::MAX;
    for _ in 0..RUNS {
        least = least.min(run(valgrind, contestant, calls, instances).await?);
    }
    Ok(least)
}

/// All instructions of so many calls, from the program's start to its end.
async fn run(valgrind: &Path, contestant: Contestant, calls: u32, instances: &Instances) -> Result<u64, Failed> {
    let directory = tempfile::Builder::new().prefix("mainstay-bench-").tempdir()?;
    let (counted, log) = (directory.path().join("counted"), directory.path().join("log"));
    let mut arguments = vec!["--tool=callgrind".to_owned(), format!("--callgrind-out-file={}", counted.display())];
    arguments.extend([std::env::current_exe()?.display().to_string(), "calls".to_owned()]);
    arguments.extend([contestant.name(), calls.to_string()]);
    arguments.extend(instances.addresses.iter().map(ToString::to_string));
    let mut child = Child::start(valgrind, &arguments, Stdio::null(), fs::File::create(&log)?.into())?;
    let ended = timeout(PATIENCE, child.process().wait()).await??;
    if !ended.success() {
        return Err(format!("{} under valgrind: {ended}: {}", contestant.name(), fs::read_to_string(log)?).into());
    }
    total(&fs::read_to_string(counted)?).ok_or_else(|| "callgrind says no total".into())
}

/// The instructions of all functions, as callgrind's file ends with.
fn total(counted: &str) -> Option<u64> {
    counted.lines().rev().find_map(|line| line.strip_prefix("totals: "))?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_total_is_read_from_the_end() {
        assert_eq!(total("# callgrind format\nsummary: 1\n\nfn=(1) main\n3 7\n\ntotals: 34567\n"), Some(34567));
        assert_eq!(total("fn=(1) main\n3 7\n"), None);
    }
}
