//! Slices in turn: every round has all sides, so that each can be compared with the others under the same conditions.

use std::time::Duration;

use futures_util::future::{try_join_all, try_select};
use tokio::time::{Instant, sleep};

use super::options::Options;
use super::side::{Side, Work};
use crate::Failed;
use crate::latency::Latencies;
use crate::rows::Row;

/// How much longer than its slice a side may take for its last messages.
const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) async fn measure(
    sides: &[Box<dyn Side>],
    work: Work,
    callers: u16,
    options: &Options,
) -> Result<Vec<Row>, Failed> {
    let mut rows: Vec<_> = sides.iter().map(|side| Row::new(side.title())).collect();
    for round in 0..=options.rounds {
        for turn in 0..sides.len() {
            let turn = (turn + round) % sides.len();
            let (side, row) = (&*sides[turn], &mut rows[turn]);
            let (latencies, took) = slice(side, work, callers, Duration::from_millis(options.slice)).await?;
            if work == Work::Publish {
                side.empty(latencies.calls()).await?;
            }
            // The first round opens connections and fills caches.
            if round > 0 {
                row.per_second.push(latencies.calls() as f64 / took.as_secs_f64());
                row.latencies.add(&latencies);
            }
        }
    }
    Ok(rows)
}

async fn slice(side: &dyn Side, work: Work, callers: u16, length: Duration) -> Result<(Latencies, Duration), Failed> {
    let began = Instant::now();
    let end = began + length;
    let caller = async || {
        let (mut latencies, mut now) = (Latencies::new(), Instant::now());
        while now < end {
            match work {
                Work::Publish => side.publish().await?,
                Work::Ask => side.ask().await?,
            }
            let done = Instant::now();
            latencies.record(done - now);
            now = done;
        }
        Ok::<_, Failed>(latencies)
    };
    let all = try_join_all((0..callers).map(|_| Box::pin(caller())));
    let late = Box::pin(async {
        sleep(length + PATIENCE).await;
        Err::<Vec<Latencies>, Failed>(format!("{} does not answer", side.title()).into())
    });
    let latencies = match try_select(all, late).await {
        Ok(ended) => ended.factor_first().0,
        Err(error) => return Err(error.factor_first().0),
    };
    let took = began.elapsed();
    let mut whole = Latencies::new();
    latencies.iter().for_each(|latencies| whole.add(latencies));
    Ok((whole, took))
}
