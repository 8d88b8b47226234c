//! How many tasks a second, and how long the slowest take: what `ab -c 100 -n 5000` asks, also with distinct bodies.

use std::time::Duration;

use futures_util::future::join_all;
use futures_util::{StreamExt as _, stream};
use tokio::time::Instant;

use crate::http::post;
use crate::plant::in_time;
use crate::processes::{BACKEND, EVENTS, Ground, TASKS};

const COUNT: usize = 5000;
const AT_ONCE: usize = 100;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "measures, on a machine with nothing else to do"]
async fn five_thousand_tasks_a_hundred_at_once() {
    let said = |name: &str, option: &str| std::env::var(name).map_or(String::new(), |url| format!("{option} {url}"));
    let messages = said("MAINSTAY_MEASURE_MESSAGES", "--messages");
    let records = said("MAINSTAY_MEASURE_RECORDS", "--records");
    println!("{} {}", or(&messages, "the hub"), or(&records, "SQLite"));

    let ground = Ground::new().await;
    let tasks = ground.start(TASKS, &messages).await;
    let _events = ground.start(EVENTS, &format!("{messages} {records}")).await;
    let backends: Vec<_> = (1..=3).map(|number| format!("--instance {number} {messages}")).collect();
    let _backends = join_all(backends.iter().map(|args| ground.start(BACKEND, args))).await;
    assert_eq!(in_time(post(tasks.address, "/task", r#"{"a1":0,"a2":1}"#)).await.result(), "1");

    // Of another run's records none is equal to one of these.
    let run = fastrand::u32(..);
    for (name, step) in [("constant", 0), ("distinct", 1)] {
        let begun = Instant::now();
        let asked = stream::iter(1..=COUNT).map(async |n| {
            let (body, begun) = (format!(r#"{{"a1":{},"a2":{run}}}"#, n * step), Instant::now());
            let answer = post(tasks.address, "/task", &body).await;
            assert_eq!(answer.status, 200, "{body}: {answer:?}");
            begun.elapsed()
        });
        let mut took: Vec<Duration> = asked.buffer_unordered(AT_ONCE).collect().await;
        let a_second = COUNT as f64 / begun.elapsed().as_secs_f64();
        took.sort();
        let [half, most, all] = [50, 99, 100].map(|percent| took[COUNT * percent / 100 - 1].as_millis());
        println!("{name}: {COUNT} answered, 0 failed, {a_second:.0}/s, p50 {half} ms, p99 {most} ms, longest {all} ms");
    }
}

fn or<'a>(said: &'a str, usual: &'a str) -> &'a str {
    if said.is_empty() { usual } else { said }
}
