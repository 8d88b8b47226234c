//! What another process has used, by the system's own account.

use std::fs;
use std::time::Duration;

use rustix::param::clock_ticks_per_second;

use crate::Failed;

/// CPU time of a process with all the threads it has had. In ticks of 10 ms, which is fine enough for seconds.
pub(crate) fn cpu(process: u32) -> Result<Duration, Failed> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat"))?;
    let after_name = stat.rsplit(") ").next().unwrap_or_default();
    let ticks: u64 = after_name.split(' ').skip(11).take(2).filter_map(|ticks| ticks.parse::<u64>().ok()).sum();
    Ok(Duration::from_secs_f64(ticks as f64 / clock_ticks_per_second() as f64))
}

/// Memory of a process, in KiB.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Memory {
    /// What is there of it, with what it shares with others.
    pub(crate) resident: f64,
    /// The same, with its part only of what is shared.
    pub(crate) proportional: f64,
}

impl Memory {
    pub(crate) fn of(process: u32) -> Result<Self, Failed> {
        let sums = fs::read_to_string(format!("/proc/{process}/smaps_rollup"))?;
        let kib = |name: &str| {
            let line = sums.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
            line.trim().trim_end_matches(" kB").parse().map_err(|_| format!("smaps_rollup says nothing of {name}"))
        };
        Ok(Self { resident: kib("Rss:")?, proportional: kib("Pss:")? })
    }

    /// How much more than before.
    pub(crate) fn since(self, before: Self) -> Self {
        Self { resident: self.resident - before.resident, proportional: self.proportional - before.proportional }
    }
}

#[cfg(test)]
mod tests {
    use std::hint::black_box;
    use std::process;

    use super::*;

    #[test]
    fn memory_that_is_used_is_seen() {
        let before = Memory::of(process::id()).unwrap();
        let used = black_box(vec![1_u8; 64 << 20]);
        let more = Memory::of(process::id()).unwrap().since(before);
        assert!(more.resident > 60e3 && more.proportional > 60e3, "{more:?} of {} bytes", used.len());
    }

    #[test]
    fn work_is_seen() {
        let before = cpu(process::id()).unwrap();
        let mut turns = 0_u64;
        while cpu(process::id()).unwrap() - before < Duration::from_millis(50) {
            turns = black_box(turns + 1);
            assert!(turns < 10_000_000, "no work is seen");
        }
    }
}
