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
    use std::process::Command;

    use super::*;

    /// What a process has used by the other account, in ticks of 10 ms.
    fn by_ticks(process: u32) -> Duration {
        let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap();
        let ticks = stat.rsplit(") ").next().unwrap().split(' ').skip(11).take(2);
        Duration::from_millis(ticks.map(|ticks| ticks.parse::<u64>().unwrap() * 10).sum())
    }

    // Of this process it would be less than is used: threads of other tests end, and take their account with them.
    #[test]
    fn the_work_of_another_process_is_seen() {
        let before = own();
        let mut busy = Command::new("sh").args(["-c", "while :; do :; done"]).spawn().unwrap();
        let mut seen = (Duration::ZERO, Duration::ZERO);
        while seen.0 < Duration::from_millis(200) && own() - before < Duration::from_secs(10) {
            seen = (by_ticks(busy.id()), of(busy.id()));
        }
        busy.kill().unwrap();
        busy.wait().unwrap();
        assert!(seen.0 >= Duration::from_millis(200), "{seen:?}");
        assert!(seen.0.abs_diff(seen.1) <= Duration::from_millis(30), "{seen:?}");
        assert!(own() > before);
    }
}
