//! How long until a client of the registry sees an instance come, and sees it crash.
//!
//! ```console
//! $ cargo bench -p mainstay --bench presence
//! ```
//!
//! Registry, instance and client stand on threads of their own and speak over loopback. A crash is a process
//! that ends without a word: what the registry gets to see is its connection closing, and so it is here.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a program that measures")]

use std::net::SocketAddr;
use std::time::Duration;

use mainstay::contracts::ratings::Ratings;
use mainstay::{Client, EventKind, Events, Registration};
use mainstay_registry::Config;
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};
use tokio::time::{Instant, timeout};

const ROUNDS: usize = 1000;

fn main() {
    let (registry, instances) = (thread(), thread());
    let listener = registry.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
    let address = listener.local_addr().unwrap();
    registry.spawn(mainstay_registry::run(Config::default(), listener, std::future::pending()));
    let (seen, missed) = thread().block_on(measure(address, &instances));
    println!("{ROUNDS} instances came and crashed");
    println!("register → seen by a client   {}", Summary::of(seen));
    println!("crash → gone for that client  {}", Summary::of(missed));
    registry.shutdown_background();
    instances.shutdown_background();
}

fn thread() -> Runtime {
    Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap()
}

async fn measure(registry: SocketAddr, instances: &Runtime) -> (Vec<Duration>, Vec<Duration>) {
    let client = Client::<Ratings>::builder().registry(registry.into()).build().unwrap();
    let mut events = client.events();
    until(&mut events, |kind| matches!(kind, EventKind::RegistryBack { .. })).await;
    let (mut seen, mut missed) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let address = SocketAddr::from(([127, 0, 0, 1], 1)).into();
        let registration =
            Registration::new::<Ratings>("ratings-1".parse().unwrap(), address).registry(registry.into());
        let started = Instant::now();
        let lease = {
            let _on = instances.enter();
            registration.start()
        };
        until(&mut events, |kind| matches!(kind, EventKind::Up { .. })).await;
        seen.push(started.elapsed());
        let crashed = Instant::now();
        drop(lease);
        until(&mut events, |kind| matches!(kind, EventKind::Gone { .. })).await;
        missed.push(crashed.elapsed());
    }
    (seen, missed)
}

async fn until(events: &mut Events, wanted: impl Fn(&EventKind) -> bool) {
    let found = async { while !wanted(&events.next().await.unwrap().kind) {} };
    timeout(Duration::from_secs(10), found).await.unwrap();
}

struct Summary {
    p50: Duration,
    p99: Duration,
    longest: Duration,
}

impl Summary {
    fn of(mut times: Vec<Duration>) -> Self {
        times.sort_unstable();
        Self { p50: times[times.len() / 2], p99: times[times.len() * 99 / 100], longest: times[times.len() - 1] }
    }
}

impl std::fmt::Display for Summary {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let [p50, p99, longest] = [self.p50, self.p99, self.longest].map(|time| time.as_secs_f64() * 1000.0);
        write!(f, "p50 {p50:.2} ms   p99 {p99:.2} ms   longest {longest:.2} ms")
    }
}
