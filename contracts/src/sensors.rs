//! Sensors: a sensor measures, a worker squares what was measured, and an app keeps them going. By calls, the app asks
//! one and then the other; by messages, everybody tells what they have.

use std::time::Duration;

use http::Method;
use serde::{Deserialize, Serialize};

use crate::{Call, Idempotence, Message, Policy, Service};

/// How clients of either behave: an app that comes by each second neither waits long nor stays away long.
const POLICY: Policy = Policy::builder()
    .timeout(Duration::from_secs(1))
    .failure_limit(1)
    .retest_delay(Duration::from_secs(2))
    .health_path("/health")
    .idempotence(Idempotence::Always)
    // What was measured some time ago is no measurement of now.
    .forget_last_good()
    .build_const();

/// Measures.
#[derive(Debug)]
pub struct Sensor;

impl Service for Sensor {
    const NAME: &'static str = "sensor";
    const POLICY: Policy = POLICY;
}

/// Squares numbers.
#[derive(Debug)]
pub struct Worker;

impl Service for Worker {
    const NAME: &'static str = "worker";
    const POLICY: Policy = POLICY;
}

/// What do you measure? Answered with three numbers, such as `[7,0,4294967295]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Measure {}

impl Call for Measure {
    type Service = Sensor;
    type Response = [u32; 3];
    const METHOD: Method = Method::GET;
    const ROUTE: &'static str = "/";
}

/// What are the squares of these numbers? A list, answered with a list of as many: `[7,4294967295]` with
/// `[49,18446744065119617025]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Square {
    /// The numbers.
    pub values: Vec<u32>,
}

impl Call for Square {
    type Service = Worker;
    type Response = Vec<u64>;
    const METHOD: Method = Method::POST;
    const ROUTE: &'static str = "/";
}

/// Keeps sensor and worker going.
#[derive(Debug)]
pub struct App;

impl Service for App {
    const NAME: &'static str = "app";
    const POLICY: Policy = POLICY;
}

/// What were the latest cycles? Newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cycles {}

impl Call for Cycles {
    type Service = App;
    type Response = Vec<Cycle>;
    const METHOD: Method = Method::GET;
    const ROUTE: &'static str = "/cycles";
}

/// One round through sensor, worker and app, as far as it came.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cycle {
    /// Its number since the app started, counted from 1.
    pub number: u64,
    /// When it began, or when its message came, in milliseconds since 1970.
    pub at_ms: u64,
    /// Who measured, such as `sensor-1`, and what.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub measured: Option<(String, Vec<u32>)>,
    /// Who squared, such as `worker-2`, and what came out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub squared: Option<(String, Vec<u64>)>,
    /// Why it went no further.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// A sensor has measured.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reading {
    /// Who, such as `sensor-1`.
    pub sensor: String,
    /// Its number since it started, counted from 1.
    pub number: u64,
    /// What.
    pub values: [u32; 3],
}

impl Message for Reading {
    const TOPIC: &'static str = "sensor_values";
}

/// A worker has squared what a sensor had measured.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Squared {
    /// Of what.
    pub reading: Reading,
    /// The squares.
    pub squares: [u64; 3],
    /// Who, such as `worker-2`.
    pub worker: String,
}

impl Message for Squared {
    const TOPIC: &'static str = "worker_result";
}
