//! What is taken, and why something is not.

use std::collections::BTreeSet;

use futures_util::future::join_all;
use mainstay::contracts::message::BODY_LIMIT;
use mainstay_messaging::{Consumer, Envelope};

use crate::server::Server;
use crate::support::{Answer, Note, RULES, Scribble, channel, next, note, nothing, take};

pub(crate) async fn one_id_is_one_message(server: impl Server) {
    let (messages, other) = (server.open().await, server.open().await);
    let mut consumer = channel(&messages, "a", RULES).await;
    assert!(!messages.publish(note("it", 1)).await.unwrap().twice);
    assert!(messages.publish(note("it", 1)).await.unwrap().twice);
    assert!(other.publish(note("it", 1)).await.unwrap().twice);
    assert_eq!(take(&mut consumer, 1).await, [1]);
    assert!(other.publish(note("it", 1)).await.unwrap().twice, "also when it was consumed");
    nothing(&mut consumer).await;
    // An id is of its topic.
    messages.declare::<Answer>("a", RULES).await.unwrap();
    assert!(!messages.publish(Envelope::new("it", &Answer { to: 1 }).unwrap()).await.unwrap().twice);
}

pub(crate) async fn unknown_topics_and_channels_are_told(server: impl Server) {
    let messages = server.open().await;
    assert!(messages.publish(note("1", 1)).await.unwrap_err().is_unknown(), "nothing is declared");
    let mut nobody: Consumer<Note> = messages.consume("nobody").unwrap();
    assert!(nobody.next().await.unwrap_err().is_unknown());

    let mut consumer = channel(&messages, "a", RULES).await;
    assert!(nobody.next().await.unwrap_err().is_unknown());
    let lost = messages.publish(note("2", 2).only_to("nobody")).await.unwrap_err();
    assert!(lost.is_unknown() && lost.to_string().contains("nobody"), "{lost}");
    let lost = messages.publish(Envelope::new("3", &Answer { to: 3 }).unwrap()).await.unwrap_err();
    assert!(lost.is_unknown() && lost.to_string().contains("answers"), "{lost}");
    messages.publish(note("4", 4)).await.unwrap();
    assert_eq!(take(&mut consumer, 1).await, [4]);
    nothing(&mut consumer).await;
}

pub(crate) async fn a_long_message_passes_and_a_longer_one_is_refused(server: impl Server) {
    let messages = server.open().await;
    messages.declare::<Scribble>("a", RULES).await.unwrap();
    let mut consumer: Consumer<Scribble> = messages.consume("a").unwrap();
    let of = |bytes| Envelope::new(format!("{bytes}"), &Scribble("x".repeat(bytes - 2))).unwrap();
    messages.publish(of(BODY_LIMIT)).await.unwrap();
    for longer in [BODY_LIMIT + 1, 10 * BODY_LIMIT] {
        assert!(messages.publish(of(longer)).await.unwrap_err().is_bad());
    }
    let delivery = next(&mut consumer).await;
    assert_eq!(delivery.message.0.len(), BODY_LIMIT - 2);
    delivery.ack().await.unwrap();
}

pub(crate) async fn hundreds_at_once_are_all_taken(server: impl Server) {
    let messages = server.open().await;
    let mut consumer = channel(&messages, "a", RULES).await;
    let notes = (0..500).map(|n| messages.publish(note(&n.to_string(), n)));
    assert!(join_all(notes).await.into_iter().all(|taken| !taken.unwrap().twice));
    let taken: BTreeSet<_> = take(&mut consumer, 500).await.into_iter().collect();
    assert!(taken.into_iter().eq(0..500));
}
