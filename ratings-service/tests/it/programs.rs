//! Instances that are programs, and callers who count what they lose.

use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use mainstay::contracts::ratings::{GetRating, Ratings};
use mainstay::{Address, Client, EventKind, Events};
use tokio::process::{Child, Command};
use tokio::time::{MissedTickBehavior, interval, timeout};

/// More than anything here takes; only a defect makes a test wait for it.
pub(crate) const LONG: Duration = Duration::from_secs(30);
pub(crate) const CALLERS: usize = 4;
/// Of each caller; far more than any test takes.
const MOST_CALLS: usize = 60_000;
const EVERY: Duration = Duration::from_millis(5);

/// A program with one instance.
pub(crate) fn start(number: u32, port: u16, registry: &Address) -> Child {
    let base = u32::from(port) - number;
    Command::new(env!("CARGO_BIN_EXE_ratings-service"))
        .args(["--instance", &number.to_string(), "--base-port", &base.to_string(), "--registry", registry.as_str()])
        .env("RUST_LOG", "off")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap()
}

/// Asks it to end, and waits until it has.
pub(crate) async fn end(mut instance: Child) {
    let id = instance.id().unwrap().to_string();
    assert!(Command::new("kill").args(["-TERM", &id]).status().await.unwrap().success());
    assert!(timeout(LONG, instance.wait()).await.expect("it ends").unwrap().success());
}

/// What happens to an instance next, in the first word of its line.
pub(crate) async fn next(events: &mut Events, number: u32) -> String {
    let found = async {
        loop {
            let event = events.next().await.expect("the client lives");
            match &event.kind {
                EventKind::Up { instance }
                | EventKind::Draining { instance }
                | EventKind::Gone { instance, .. }
                | EventKind::Open { instance, .. }
                    if instance.number == number =>
                {
                    return event.to_string().split(' ').next().unwrap_or_default().to_owned();
                }
                _ => {}
            }
        }
    };
    timeout(LONG, found).await.expect("in time")
}

/// Calls until it is told to stop. Returns how often, and what was not a live answer.
pub(crate) async fn call(client: Client<Ratings>, stop: Arc<AtomicBool>) -> (usize, Vec<String>) {
    let mut every = interval(EVERY);
    every.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut lost = Vec::new();
    for calls in 0..MOST_CALLS {
        if stop.load(Ordering::Relaxed) {
            return (calls, lost);
        }
        every.tick().await;
        match client.call(GetRating::new("camera")).await {
            Ok(fetched) => lost.extend(fetched.reason().map(|reason| format!("last good: {reason:?}"))),
            Err(error) => lost.push(format!("{error:?}")),
        }
    }
    panic!("{MOST_CALLS} calls, and nobody said that it is over");
}
