//! A consumer that is dead costs a bounded part, and whoever publishes is told.

use std::collections::BTreeSet;
use std::time::Duration;

use tokio::time::{sleep, timeout};

use crate::server::{Bounded, SMALL};
use crate::support::{RULES, channel, next, note, take};

pub(crate) async fn a_dead_consumer_fills_its_topic_and_no_more(server: impl Bounded) {
    let messages = server.open().await;
    let mut consumer = channel(&messages, "a", RULES).await;
    let mut taken = BTreeSet::new();
    let full = loop {
        let n = u32::try_from(taken.len()).unwrap();
        assert!(n <= 2 * SMALL, "it is never full");
        match messages.publish(note(&n.to_string(), n)).await {
            Ok(_) => assert!(taken.insert(n)),
            Err(error) => break error,
        }
    };
    assert!(full.is_full() && full.to_string().contains("notes"), "{full}");
    assert!(messages.publish(note("more", 9999)).await.unwrap_err().is_full());

    // What is consumed gives room, within a moment.
    let first = next(&mut consumer).await;
    first.ack().await.unwrap();
    let room = async {
        while let Err(error) = messages.publish(note("more", 9999)).await {
            assert!(error.is_full(), "{error}");
            sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(Duration::from_secs(5), room).await.expect("there is room again");
    taken.remove(&first.message.n);
    taken.insert(9999);
    let rest: BTreeSet<_> = take(&mut consumer, taken.len()).await.into_iter().collect();
    assert_eq!(rest, taken, "what was taken is there");
}
