//! Who gets what.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use mainstay_messaging::{Consumer, Rules};
use parking_lot::Mutex;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::server::Server;
use crate::support::{Note, RULES, channel, next, note, nothing, take, tell};

pub(crate) async fn every_channel_gets_a_copy(server: impl Server) {
    let (messages, other) = (server.open().await, server.open().await);
    let mut kept = channel(&messages, "a", RULES).await;
    let mut also_kept = channel(&other, "b", RULES).await;
    let mut unkept = channel(&other, "c", Rules { kept: false, ..RULES }).await;
    tell(&messages, 0..5).await;
    for consumer in [&mut kept, &mut also_kept, &mut unkept] {
        assert_eq!(take(consumer, 5).await, [0, 1, 2, 3, 4]);
        nothing(consumer).await;
    }
    let mut late = channel(&messages, "d", RULES).await;
    nothing(&mut late).await;
    tell(&other, [5]).await;
    assert_eq!(take(&mut late, 1).await, [5], "from its declaration on");
}

pub(crate) async fn consumers_share_a_channel(server: impl Server) {
    let (messages, other) = (server.open().await, server.open().await);
    let consumers = [channel(&messages, "a", RULES).await, channel(&other, "a", RULES).await];
    let (shares, done) = (Arc::new([AtomicUsize::new(0), AtomicUsize::new(0)]), CancellationToken::new());
    let all = Arc::new(Mutex::new(Vec::new()));
    let running = consumers.into_iter().enumerate().map(|(who, consumer)| {
        let (shares, all, done) = (Arc::clone(&shares), Arc::clone(&all), done.clone());
        let stop = done.clone().cancelled_owned();
        tokio::spawn(consumer.run(
            2,
            move |delivery| {
                shares[who].fetch_add(1, Ordering::Relaxed);
                all.lock().push(delivery.message.n);
                if all.lock().len() == 100 {
                    done.cancel();
                }
                async {
                    sleep(Duration::from_millis(10)).await;
                    Ok(())
                }
            },
            stop,
        ))
    });
    let running: Vec<_> = running.collect();
    tell(&messages, 0..100).await;
    for running in running {
        running.await.unwrap().unwrap();
    }
    let shares = [0, 1].map(|who| shares[who].load(Ordering::Relaxed));
    assert!(shares.iter().all(|share| (40..=60).contains(share)), "{shares:?}");
    let mut all = all.lock().clone();
    all.sort_unstable();
    assert!(all.iter().copied().eq(0..100), "each once: {all:?}");
    let mut rest: Consumer<Note> = messages.consume("a").unwrap();
    nothing(&mut rest).await;
}

pub(crate) async fn what_is_for_one_channel_goes_to_no_other(server: impl Server) {
    let messages = server.open().await;
    let mut one = channel(&messages, "one", RULES).await;
    let mut other = channel(&messages, "other", RULES).await;
    messages.publish(note("only", 1).only_to("one")).await.unwrap();
    tell(&messages, [2]).await;
    assert_eq!(take(&mut one, 2).await, [1, 2]);
    assert_eq!(take(&mut other, 1).await, [2]);
    nothing(&mut other).await;
}

pub(crate) async fn one_publisher_is_consumed_in_order(server: impl Server) {
    let messages = server.open().await;
    let mut consumer = channel(&messages, "a", RULES).await;
    let publisher = messages.clone();
    let told = tokio::spawn(async move { tell(&publisher, 0..200).await });
    assert!(take(&mut consumer, 200).await.into_iter().eq(0..200));
    told.await.unwrap();
}

pub(crate) async fn a_consumer_has_no_more_at_once_than_it_asked_for(server: impl Server) {
    const AT_ONCE: usize = 3;
    let messages = server.open().await;
    let busy = channel(&messages, "a", RULES).await;
    let (running, release) = (Arc::new(Mutex::new(BTreeSet::new())), CancellationToken::new());
    let (seen, released) = (Arc::clone(&running), release.clone());
    let handled = tokio::spawn(busy.run(
        AT_ONCE,
        move |delivery| {
            let (seen, released) = (Arc::clone(&seen), released.clone());
            async move {
                seen.lock().insert(delivery.message.n);
                released.cancelled().await;
                Ok(())
            }
        },
        release.clone().cancelled_owned(),
    ));
    tell(&messages, 0..20).await;
    while running.lock().len() < AT_ONCE {
        sleep(Duration::from_millis(5)).await;
    }
    // Whatever it has not asked for, others have at once.
    let mut other: Consumer<Note> = messages.consume("a").unwrap();
    let rest: BTreeSet<_> = take(&mut other, 20 - AT_ONCE).await.into_iter().collect();
    nothing(&mut other).await;
    assert_eq!(running.lock().len(), AT_ONCE);
    assert!(running.lock().is_disjoint(&rest));
    release.cancel();
    handled.await.unwrap().unwrap();
    tell(&messages, [20]).await;
    assert_eq!(next(&mut other).await.message.n, 20);
}
