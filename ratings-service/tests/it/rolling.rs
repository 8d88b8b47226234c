//! A restart of all instances, one after the other, while they are called: nobody notices.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use mainstay::contracts::ratings::Ratings;
use mainstay::{Address, Client, Service};
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::presence::registry_on;
use crate::programs::{CALLERS, LONG, call, end, next, start};
use crate::support::{free_port, ports_for_programs};

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
