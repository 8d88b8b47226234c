//! Many requests at once: one write to the disk serves them together. Prints what it measured.

use std::time::Duration;

use futures_util::stream::{self, StreamExt as _};
use tokio::time::Instant;

use super::world::{World, asking, message};
use crate::Ending;

const REQUESTS: usize = 5000;
const AT_ONCE: usize = 100;

#[tokio::test(flavor = "multi_thread")]
#[ignore = "measures: run it alone, with --release --nocapture"]
async fn five_thousand_requests_a_hundred_at_once() {
    for _ in 0..3 {
        measure("sqlite", World::sqlite().await).await;
        #[cfg(feature = "postgres")]
        if let Some(world) = World::postgres().await {
            measure("postgres", world).await;
        }
    }
}

/// Each is begun, gets a step and a reply, and is finished: four transactions, two messages.
async fn measure(store: &str, world: World) {
    let begun = Instant::now();
    let request = async || {
        let begun = Instant::now();
        let new = asking().waiter("replies", "1").step("received", "frontend");
        let id = new.id().to_owned();
        world.records.begin(new).await.unwrap();
        world.records.step(&id, "dispatched", "events").await.unwrap();
        world.records.reply(&id, "backend 1", &15).await.unwrap();
        let ending = Ending::complete().result(&15).unwrap().step("finished", "events");
        assert!(world.records.finish(&id, ending.tell(message(&format!("told-{id}")))).await.unwrap());
        begun.elapsed()
    };
    let mut took: Vec<Duration> =
        stream::iter(0..REQUESTS).map(|_| request()).buffer_unordered(AT_ONCE).collect().await;
    let all = begun.elapsed();
    world.post.has(2 * REQUESTS).await;
    took.sort_unstable();
    let of = |percent: usize| took[took.len() * percent / 100 - 1].as_micros();
    println!(
        "{store:8}: {:6.0} requests/s of four writes each, p50 {} us, p99 {} us; all messages out after {} ms more",
        REQUESTS as f64 / all.as_secs_f64(),
        of(50),
        of(99),
        (begun.elapsed() - all).as_millis(),
    );
}
