//! CPU time: of this process, and of its children while they run.

use std::fs;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// What this process has used, on all of its threads.
pub(crate) fn own() -> Duration {
    let now = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(now.tv_sec.try_into().unwrap_or_default(), now.tv_nsec.try_into().unwrap_or_default())
}

/// What another process and its descendants have used. The scheduler's own account, as `stat` counts in ticks of
/// 10 ms. Zero where the system keeps none.
pub(crate) fn of(process: u32) -> Duration {
    let tasks = fs::read_dir(format!("/proc/{process}/task")).into_iter().flatten().flatten();
    tasks
        .map(|task| {
            let read = |file| fs::read_to_string(task.path().join(file)).unwrap_or_default();
            let ran = read("schedstat").split(' ').next().and_then(|nanos| nanos.parse().ok()).unwrap_or_default();
            let children: Duration = read("children").split_whitespace().flat_map(str::parse).map(of).sum();
            Duration::from_nanos(ran) + children
        })
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_clocks_see_this_process_work() {
        let (own_before, before) = (own(), of(std::process::id()));
        // The account of a running task is brought up to date at ticks, and late on a busy machine.
        while of(std::process::id()) - before < Duration::from_millis(30) {
            assert!(own() - own_before < Duration::from_secs(10));
        }
        assert!(own() - own_before >= Duration::from_millis(10));
    }
}
