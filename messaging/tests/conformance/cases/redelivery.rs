//! What is not settled comes again, and who settles too late is told.

use std::time::Duration;

use mainstay_messaging::Rules;
use tokio::time::{Instant, sleep};

use crate::server::Server;
use crate::support::{RULES, channel, next, note, nothing, tell};

/// By so much an engine's clock may be before ours.
const SLACK: Duration = Duration::from_millis(20);

pub(crate) async fn unsettled_it_comes_again(server: impl Server) {
    let messages = server.open().await;
    let mut consumer = channel(&messages, "a", Rules { visibility_ms: 1000, ..RULES }).await;
    let before = Instant::now();
    messages.publish(note("it", 7)).await.unwrap();
    let first = next(&mut consumer).await;
    assert_eq!((first.id.as_str(), first.attempt), ("it", 1));
    let second = next(&mut consumer).await;
    assert!(before.elapsed() + SLACK >= Duration::from_secs(1), "{:?}", before.elapsed());
    assert_eq!((second.id.as_str(), second.attempt, second.message.n), ("it", 2, 7));
    second.ack().await.unwrap();
    nothing(&mut consumer).await;
}

pub(crate) async fn extended_it_stays_invisible(server: impl Server) {
    let messages = server.open().await;
    let mut consumer = channel(&messages, "a", Rules { visibility_ms: 1500, ..RULES }).await;
    tell(&messages, [1]).await;
    let delivery = next(&mut consumer).await;
    sleep(Duration::from_millis(300)).await;
    let extended = Instant::now();
    delivery.extend().await.unwrap();
    let again = next(&mut consumer).await;
    assert!(extended.elapsed() + SLACK >= Duration::from_millis(1500), "{:?}", extended.elapsed());
    assert_eq!(again.attempt, 2);
    assert!(delivery.ack().await.unwrap_err().is_expired());
    again.ack().await.unwrap();
}

pub(crate) async fn not_acknowledged_it_comes_again_after_the_backoff(server: impl Server) {
    let messages = server.open().await;
    let mut consumer = channel(&messages, "a", Rules { backoff_ms: 150, ..RULES }).await;
    tell(&messages, [1]).await;
    let mut delivery = next(&mut consumer).await;
    for (attempt, backoff) in [(2, 150), (3, 300)] {
        let refused = Instant::now();
        delivery.nack().await.unwrap();
        delivery = next(&mut consumer).await;
        assert!(refused.elapsed() + SLACK >= Duration::from_millis(backoff), "{:?}", refused.elapsed());
        assert_eq!(delivery.attempt, attempt);
    }
    delivery.ack().await.unwrap();
    nothing(&mut consumer).await;
}

pub(crate) async fn a_late_settlement_is_refused(server: impl Server) {
    let (messages, other) = (server.open().await, server.open().await);
    let visibility = Duration::from_secs(1);
    let rules = Rules { visibility_ms: visibility.as_millis() as u64, tries: 0, ..RULES };
    let (mut slow, mut quick) = (channel(&messages, "a", rules).await, channel(&other, "a", rules).await);
    tell(&messages, [1]).await;
    let late = next(&mut slow).await;
    let is_late = sleep(visibility);
    let delivery = next(&mut quick).await;
    // By whose clock ever: NATS knows a late word by that of who says it.
    is_late.await;
    for settled in [late.ack().await, late.nack().await, late.reject().await, late.extend().await] {
        assert!(settled.unwrap_err().is_expired());
    }
    delivery.extend().await.unwrap();
    delivery.ack().await.unwrap();
    nothing(&mut quick).await;
}

pub(crate) async fn settled_twice_it_is_settled(server: impl Server) {
    let messages = server.open().await;
    let mut consumer = channel(&messages, "a", RULES).await;
    tell(&messages, [1]).await;
    let delivery = next(&mut consumer).await;
    delivery.ack().await.unwrap();
    delivery.ack().await.unwrap();
    nothing(&mut consumer).await;
}
