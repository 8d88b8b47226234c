//! Sensors by messages: every channel gets a copy, and workers share theirs.

use std::collections::{BTreeMap, HashSet};
use std::future::pending;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use mainstay::contracts::sensors::{Cycle, Reading, Squared};
use mainstay_messaging::{Messages, Rules};
use pipeline::sensors::app::{self, Flow};
use pipeline::sensors::{sensor, worker};
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio::time::sleep;

use crate::http::get;
use crate::plant::{free_port, in_time};

/// Nobody needs a registry to share messages.
const NOWHERE: &str = "http://127.0.0.1:1";

async fn messages() -> (Messages, TempDir) {
    let directory = tempfile::tempdir().unwrap();
    let messages = Messages::open(&format!("embedded:{}", directory.path().display())).await.unwrap();
    (messages, directory)
}

async fn start_worker(number: u32, delay: Duration, messages: &Messages) -> JoinHandle<io::Result<()>> {
    let (_, listener) = free_port().await;
    let config = worker::Config { number, delay, registry: NOWHERE.parse().unwrap(), messages: messages.clone() };
    tokio::spawn(worker::run(config, listener, pending()))
}

async fn start_sensor(every: Duration, messages: &Messages) -> JoinHandle<io::Result<()>> {
    let (_, listener) = free_port().await;
    let config = sensor::Config { number: 1, every, registry: NOWHERE.parse().unwrap(), messages: messages.clone() };
    tokio::spawn(sensor::run(config, listener, pending()))
}

#[tokio::test]
async fn of_100_readings_each_is_handled_once_two_workers_share_them_and_another_channel_sees_all() {
    let (messages, _directory) = messages().await;
    messages.declare::<Reading>("archive", Rules::default()).await.unwrap();
    messages.declare::<Squared>("test", Rules::default()).await.unwrap();
    let workers = [1, 2].map(|number| start_worker(number, Duration::from_millis(2), &messages));
    let _workers = futures_util::future::join_all(workers).await;
    let sensor = start_sensor(Duration::from_millis(5), &messages).await;

    let (mut shares, mut squared) = (BTreeMap::<_, u32>::new(), HashSet::new());
    let mut results = messages.consume::<Squared>("test").unwrap();
    while squared.len() < 100 {
        let result = in_time(results.next()).await.unwrap();
        let Squared { reading, squares, worker } = &result.message;
        assert_eq!(*squares, reading.values.map(|value| u64::from(value).pow(2)));
        assert!(squared.insert(reading.number), "{} twice", reading.number);
        *shares.entry(worker.clone()).or_default() += 1;
        result.ack().await.unwrap();
    }
    sensor.abort();
    println!("{shares:?}");
    assert!(shares.len() == 2 && shares.values().all(|share| (40..=60).contains(share)), "{shares:?}");

    let mut archive = messages.consume::<Reading>("archive").unwrap();
    for number in 1..=100 {
        let reading = in_time(archive.next()).await.unwrap();
        assert_eq!(reading.message.number, number);
        reading.ack().await.unwrap();
    }
}

#[tokio::test]
async fn what_a_lost_worker_had_begun_another_one_does() {
    let (messages, _directory) = messages().await;
    messages.declare::<Squared>("test", Rules::default()).await.unwrap();
    let first = start_worker(1, Duration::from_secs(60), &messages).await;
    let sensor = start_sensor(Duration::from_secs(60), &messages).await;
    // Until worker 1 has it, which nobody tells.
    sleep(Duration::from_millis(500)).await;
    first.abort();
    let _second = start_worker(2, Duration::ZERO, &messages).await;
    let mut results = messages.consume::<Squared>("test").unwrap();
    let result = in_time(results.next()).await.unwrap();
    assert_eq!((result.message.reading.number, &*result.message.worker), (1, "worker-2"));
    sensor.abort();
}

#[tokio::test]
async fn the_app_takes_results_from_messages() {
    let (messages, _directory) = messages().await;
    let (app, listener) = free_port().await;
    let config = app::Config { flow: Flow::Messages(messages.clone()), registry: NOWHERE.parse().unwrap() };
    let _app = tokio::spawn(app::run(config, listener, pending()));
    let _worker = start_worker(1, Duration::ZERO, &messages).await;
    let _sensor = start_sensor(Duration::from_millis(20), &messages).await;
    let cycle = in_time(first_cycle(app)).await;
    let ((sensor, values), (worker, squares)) = (cycle.measured.unwrap(), cycle.squared.unwrap());
    assert_eq!((&*sensor, &*worker), ("sensor-1", "worker-1"));
    assert_eq!(squares, values.iter().map(|value| u64::from(*value).pow(2)).collect::<Vec<_>>());
}

async fn first_cycle(app: SocketAddr) -> Cycle {
    loop {
        let cycles: Vec<Cycle> = serde_json::from_str(&get(app, "/cycles").await.text).unwrap_or_default();
        match cycles.into_iter().next() {
            Some(cycle) => return cycle,
            None => sleep(Duration::from_millis(20)).await,
        }
    }
}
