//! Sensors by calls: an app that finds the others, wherever they are.

use std::future::pending;
use std::net::SocketAddr;
use std::time::Duration;

use mainstay::contracts::sensors::Cycle;
use mainstay_messaging::Messages;
use mainstay_registry::Config as RegistryConfig;
use pipeline::sensors::app::{self, Flow};
use pipeline::sensors::{sensor, worker};
use tempfile::TempDir;
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::http::{Answer, ask, get, post};
use crate::plant::{free_port, in_time};

/// Nothing but a registry, at first.
struct Field {
    registry: SocketAddr,
    messages: Messages,
    running: JoinSet<std::io::Result<()>>,
    _directory: TempDir,
}

impl Field {
    async fn new() -> Self {
        Self::with(RegistryConfig::default()).await
    }

    async fn with(config: RegistryConfig) -> Self {
        let _directory = tempfile::tempdir().unwrap();
        let messages = Messages::open(&format!("embedded:{}", _directory.path().display())).await.unwrap();
        let (registry, listener) = free_port().await;
        let mut running = JoinSet::new();
        running.spawn(mainstay_registry::run(config, listener, pending()));
        Self { registry, messages, running, _directory }
    }

    async fn app(&mut self) -> SocketAddr {
        let (address, listener) = free_port().await;
        let config = app::Config { flow: Flow::Calls(Duration::from_millis(50)), registry: self.registry.into() };
        self.running.spawn(app::run(config, listener, pending()));
        address
    }

    async fn sensor(&mut self) -> SocketAddr {
        let (address, listener) = free_port().await;
        let (registry, messages) = (self.registry.into(), self.messages.clone());
        let config = sensor::Config { number: 1, every: Duration::from_secs(60), registry, messages };
        self.running.spawn(sensor::run(config, listener, pending()));
        address
    }

    /// A worker that ends when the sender is dropped.
    async fn worker(&mut self) -> (SocketAddr, oneshot::Sender<()>) {
        let (address, listener) = free_port().await;
        let (registry, messages) = (self.registry.into(), self.messages.clone());
        let config = worker::Config { number: 1, delay: Duration::ZERO, registry, messages };
        let (stop, stopped) = oneshot::channel();
        self.running.spawn(worker::run(config, listener, async { stopped.await.unwrap_or_default() }));
        (address, stop)
    }
}

/// Waits for a cycle after the given one.
async fn cycle(app: SocketAddr, after: u64, is_wanted: impl Fn(&Cycle) -> bool) -> Cycle {
    in_time(async {
        loop {
            let cycles: Vec<Cycle> = serde_json::from_str(&get(app, "/cycles").await.text).unwrap_or_default();
            match cycles.into_iter().find(|cycle| cycle.number > after && is_wanted(cycle)) {
                Some(cycle) => return cycle,
                None => sleep(Duration::from_millis(20)).await,
            }
        }
    })
    .await
}

fn is_whole(cycle: &Cycle) -> bool {
    cycle.squared.is_some()
}

#[tokio::test]
async fn the_app_starts_first_and_goes_on_when_the_others_come_leave_and_move() {
    let mut field = Field::new().await;
    let app = field.app().await;
    let alone = cycle(app, 0, |_| true).await;
    assert!(alone.measured.is_none() && alone.reason.is_some(), "{alone:?}");

    field.sensor().await;
    let half = cycle(app, alone.number, |cycle| cycle.measured.is_some()).await;
    assert!(half.squared.is_none() && half.reason.is_some(), "{half:?}");

    let (first, stop) = field.worker().await;
    let whole = cycle(app, half.number, is_whole).await;
    let ((sensor, values), (worker, squares)) = (whole.measured.unwrap(), whole.squared.unwrap());
    assert_eq!((&*sensor, &*worker, whole.reason), ("sensor-1", "worker-1", None));
    assert_eq!(squares, values.iter().map(|value| u64::from(*value).pow(2)).collect::<Vec<_>>());

    drop(stop);
    let lost = cycle(app, whole.number, |cycle| !is_whole(cycle)).await;
    assert!(lost.measured.is_some() && lost.reason.is_some(), "{lost:?}");

    let (second, _stop) = field.worker().await;
    assert_ne!(first, second, "it has moved");
    cycle(app, lost.number, is_whole).await;
    cycle(app, lost.number + 3, is_whole).await;
}

#[tokio::test]
async fn instances_that_are_silent_are_used_as_those_that_are_up() {
    let silent_after = Duration::from_millis(200);
    let mut field = Field::with(RegistryConfig { silent_after, ..Default::default() }).await;
    let app = field.app().await;
    field.sensor().await;
    // A worker that its own registry knows of: in this one it stands once, and never beats.
    let mut elsewhere = Field::new().await;
    let (worker, _stop) = elsewhere.worker().await;
    let body = format!(r#"{{"address":"{worker}","number":7}}"#);
    let answer = ask(field.registry, "PUT", "/v1/services/worker/instances/worker-7", body.as_bytes()).await;
    assert!((200..300).contains(&answer.status), "{answer:?}");

    in_time(async {
        while !get(field.registry, "/v1/services/worker").await.text.contains("silent") {
            sleep(Duration::from_millis(20)).await;
        }
    })
    .await;
    let now = cycle(app, 0, |_| true).await.number;
    let whole = cycle(app, now, is_whole).await;
    assert_eq!(whole.squared.unwrap().0, "worker-7");
}

#[tokio::test]
async fn a_sensor_measures_three_numbers_other_ones_each_time() {
    let mut field = Field::new().await;
    let sensor = field.sensor().await;
    let mut seen = Vec::new();
    for _ in 0..3 {
        let answer = get(sensor, "/").await;
        let values: Vec<u32> = serde_json::from_str(&answer.text).unwrap_or_else(|_| panic!("{answer:?}"));
        assert_eq!(values.len(), 3, "{answer:?}");
        seen.push(values);
    }
    assert!(seen[0] != seen[1] || seen[1] != seen[2]);
    assert_eq!(get(sensor, "/health").await.status, 200);
}

#[tokio::test]
async fn a_worker_squares_exactly_what_is_a_list_of_u32() {
    let mut field = Field::new().await;
    let (worker, _stop) = field.worker().await;
    for (list, squares) in
        [("[4294967295]", "[18446744065119617025]"), ("[0,1,65536]", "[0,1,4294967296]"), ("[]", "[]")]
    {
        let answer = post(worker, "/", list).await;
        assert_eq!((answer.status, &*answer.text), (200, squares), "{list}");
    }
    for bad in ["", "7", "{}", r#"{"values":[1]}"#, "[-1]", "[4294967296]", "[1.5]", r#"["1"]"#, "[1,null]", "[1"] {
        let Answer { status, body, .. } = post(worker, "/", bad).await;
        assert!(status == 400 && body["reason"].is_string(), "{bad}: {status} {body}");
    }
    assert_eq!(get(worker, "/").await.status, 405);
    assert_eq!(get(worker, "/nothing").await.status, 404);
}
