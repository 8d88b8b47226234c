//! A restart of all instances, one after the other, while they are called: nobody notices.

use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use mainstay::contracts::ratings::{GetRating, Ratings};
use mainstay::{Address, Client, EventKind, Events, Service};
use tokio::process::{Child, Command};
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};

use crate::presence::registry_on;
use crate::support::{free_port, ports_for_programs};

/// More than anything here takes; only a defect makes a test wait for it.
const LONG: Duration = Duration::from_secs(30);
const CALLERS: usize = 4;
/// Of each caller; far more than the restarts take.
const MOST_CALLS: usize = 12_000;
const EVERY: Duration = Duration::from_millis(5);

fn start(number: u32, port: u16, registry: &Address) -> Child {
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
async fn end(mut instance: Child) {
    let id = instance.id().unwrap().to_string();
    assert!(Command::new("kill").args(["-TERM", &id]).status().await.unwrap().success());
    assert!(timeout(LONG, instance.wait()).await.expect("it ends").unwrap().success());
}

/// What happens to an instance next, in the first word of its line.
async fn next(events: &mut Events, number: u32) -> String {
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
async fn call(client: Client<Ratings>, stop: Arc<AtomicBool>) -> (usize, Vec<String>) {
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
    panic!("{MOST_CALLS} calls, and the restarts are not over");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rolling_restart_loses_no_call() {
    let registry = registry_on(free_port().await);
    let address = Address::from(registry.address);
    // How fast they are on this machine is another matter.
    let policy = Ratings::POLICY.to_builder().timeout(LONG).deadline(LONG).build().unwrap();
    let client = Client::<Ratings>::builder().registry(address.clone()).policy(policy).build().unwrap();
    let mut events = client.events();
    let ports = ports_for_programs(3).await;
    let mut instances = Vec::new();
    for (number, port) in (1..).zip(&ports) {
        instances.push(start(number, *port, &address));
        assert_eq!(next(&mut events, number).await, "UP");
    }

    let (stop, started) = (Arc::new(AtomicBool::new(false)), Instant::now());
    let mut callers: JoinSet<_> = (0..CALLERS).map(|_| call(client.clone(), Arc::clone(&stop))).collect();
    for (number, port) in (1..).zip(&ports) {
        end(instances.remove(0)).await;
        assert_eq!(next(&mut events, number).await, "DRAINING");
        assert_eq!(next(&mut events, number).await, "GONE");
        instances.push(start(number, *port, &address));
        assert_eq!(next(&mut events, number).await, "UP");
    }
    let elapsed = started.elapsed();
    stop.store(true, Ordering::Relaxed);
    let mut calls = 0;
    while let Some(called) = callers.join_next().await {
        let (count, lost) = called.unwrap();
        assert!(lost.is_empty(), "{lost:?}");
        calls += count;
    }
    println!("{calls} calls in {elapsed:?}, over three restarts, and none was lost");
    assert!(client.snapshot().instances.iter().all(|view| view.calls.ok > 0));
    for instance in instances {
        end(instance).await;
    }
}
