//! The registry is killed, and away for longer than its leases last, while instances are called: nobody notices.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use mainstay::contracts::ratings::Ratings;
use mainstay::{Address, Client, EventKind, Events, Service};
use mainstay_registry::Config;
use tempfile::TempDir;
use tokio::net::{TcpListener, TcpStream};
use tokio::process::{Child, Command};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};

use crate::programs::{CALLERS, LONG, call, end, next, start};
use crate::support::{ask, get, ports_for_programs};

const INSTANCES: usize = 3;
/// Port, directory and how long its leases last: what makes this program the registry of a test.
const REGISTRY: &str = "MAINSTAY_TEST_REGISTRY";

/// How long everything takes.
#[derive(Clone, Copy)]
struct Times {
    /// The registry is away.
    away: Duration,
    /// It is back, and watched.
    after: Duration,
    /// Its leases are so much shorter than they are by default.
    shorter: u32,
}

#[tokio::test]
#[ignore = "it is the registry of another test, in a process of its own"]
async fn the_registry() {
    let Ok(told) = std::env::var(REGISTRY) else { return };
    let [port, shorter, data] = told.splitn(3, ' ').collect::<Vec<_>>()[..] else { panic!("{told}") };
    let (shorter, defaults): (u32, _) = (shorter.parse().unwrap(), Config::default());
    let config = Config {
        beat_every: defaults.beat_every / shorter,
        silent_after: defaults.silent_after / shorter,
        gone_after: defaults.gone_after / shorter,
        grace: defaults.grace / shorter,
        data: Some(PathBuf::from(data)),
        ..defaults
    };
    let listener = TcpListener::bind(("127.0.0.1", port.parse().unwrap())).await.unwrap();
    mainstay_registry::run(config, listener, std::future::pending()).await.unwrap();
}

/// Starts the registry, and waits until it takes connections.
async fn registry(address: SocketAddr, data: &Path, shorter: u32) -> Child {
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "outage::the_registry", "--ignored", "--nocapture"])
        .env(REGISTRY, format!("{} {shorter} {}", address.port(), data.display()))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let reached = async {
        while TcpStream::connect(address).await.is_err() {
            sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(LONG, reached).await.expect("it starts");
    child
}

/// Who is on the registry's own list, each with its presence.
async fn listed(registry: SocketAddr) -> Vec<(u64, String)> {
    let answer = timeout(LONG, ask(registry, get("/v1/services/ratings").as_bytes())).await.expect("an answer");
    assert_eq!(answer.status, 200, "{answer:?}");
    let instances = answer.body["instances"].as_array().cloned().unwrap_or_default();
    let told = |row: &serde_json::Value| Some((row["number"].as_u64()?, row["presence"].as_str()?.to_owned()));
    instances.iter().filter_map(told).collect()
}

fn all_up() -> Vec<(u64, String)> {
    (1..=INSTANCES as u64).map(|number| (number, "up".to_owned())).collect()
}

/// How often each instance has answered.
fn answered(client: &Client<Ratings>) -> Vec<u64> {
    client.snapshot().instances.iter().map(|view| view.calls.ok).collect()
}

/// Fails when an instance has left, or was doubted. Returns when nothing more has happened.
async fn nobody_left(events: &mut Events) {
    while let Ok(Some(event)) = timeout(Duration::ZERO, events.next()).await {
        let is_well = matches!(
            event.kind,
            EventKind::Up { .. } | EventKind::RegistryLost { .. } | EventKind::RegistryBack { .. }
        );
        assert!(is_well, "{event}");
    }
}

async fn outage(times: Times) {
    let data = TempDir::new().unwrap();
    let ports = ports_for_programs(INSTANCES + 1).await;
    let address = SocketAddr::from(([127, 0, 0, 1], ports[INSTANCES]));
    let mut process = registry(address, data.path(), times.shorter).await;
    // How fast they are on this machine is another matter.
    let policy = Ratings::POLICY.to_builder().timeout(LONG).deadline(LONG).build().unwrap();
    let client = Client::<Ratings>::builder().registry(Address::from(address)).policy(policy).build().unwrap();
    let mut events = client.events();
    let mut instances = Vec::new();
    for (number, port) in (1..).zip(&ports[..INSTANCES]) {
        instances.push(start(number, *port, &Address::from(address)));
        assert_eq!(next(&mut events, number).await, "UP");
    }
    let stop = Arc::new(AtomicBool::new(false));
    let mut callers: JoinSet<_> = (0..CALLERS).map(|_| call(client.clone(), Arc::clone(&stop))).collect();
    assert_eq!(listed(address).await, all_up());

    process.kill().await.unwrap();
    sleep(times.away / 2).await;
    let before = answered(&client);
    sleep(times.away / 2).await;
    let during = answered(&client);
    assert!(before.len() == INSTANCES && before.iter().zip(&during).all(|(before, during)| before < during));
    let seen = client.snapshot().registry.expect("it was there");
    assert!(!seen.reachable && seen.age + Duration::from_secs(1) >= times.away, "{seen:?}");

    let _process = registry(address, data.path(), times.shorter).await;
    let back = Instant::now();
    while back.elapsed() < times.after {
        assert_eq!(listed(address).await, all_up(), "{:?} after it was back", back.elapsed());
        sleep(Duration::from_millis(50)).await;
    }
    assert!(client.snapshot().registry.is_some_and(|registry| registry.reachable));
    nobody_left(&mut events).await;
    stop.store(true, Ordering::Relaxed);
    let mut calls = 0;
    while let Some(called) = callers.join_next().await {
        let (count, lost) = called.unwrap();
        assert!(lost.is_empty(), "{} of {count}: {lost:?}", lost.len());
        calls += count;
    }
    let meanwhile: u64 = during.iter().sum::<u64>() - before.iter().sum::<u64>();
    println!(
        "registry dead for {:?}: {calls} calls, {meanwhile} of them in the second half of that, 0 failed; {INSTANCES} \
         listed before, at once after, and for {:?} more",
        times.away, times.after
    );
    for instance in instances {
        end(instance).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_registry_that_is_dead_for_longer_than_its_leases_fails_no_call() {
    // Its leases last a second and a half, and nine until gone; its grace is a second and a half.
    let (away, after) = (Duration::from_secs(4), Duration::from_secs(5));
    outage(Times { away, after, shorter: 10 }).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes a while: scripts/test --kills"]
async fn a_registry_that_is_dead_for_sixty_seconds_fails_no_call() {
    let (away, after) = (Duration::from_secs(60), Duration::from_secs(35));
    outage(Times { away, after, shorter: 1 }).await;
}
