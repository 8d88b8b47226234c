//! What cannot be consumed goes to the dead letters, and nothing else does.

use mainstay::contracts::hub::dead_letters;
use mainstay_messaging::{Consumer, Envelope, Messages, Rules};

use crate::server::Server;
use crate::support::{Note, RULES, Scribble, channel, next, note, nothing, take, tell};

/// Who looks at the dead letters of a channel declares them, as they may not be there before the first one.
async fn dead(messages: &Messages, name: &str) -> Consumer<Note> {
    channel(messages, &dead_letters(name), RULES).await
}

pub(crate) async fn after_so_many_tries_it_is_a_dead_letter(server: impl Server) {
    let messages = server.open().await;
    let mut consumer = channel(&messages, "a", Rules { tries: 2, ..RULES }).await;
    let mut other = channel(&messages, "b", RULES).await;
    messages.publish(note("it", 7).correlated("request")).await.unwrap();
    for attempt in 1..=2 {
        let delivery = next(&mut consumer).await;
        assert_eq!(delivery.attempt, attempt);
        delivery.nack().await.unwrap();
    }
    let mut letters = dead(&messages, "a").await;
    let letter = next(&mut letters).await;
    assert_eq!((letter.id.as_str(), letter.message.n, letter.correlation.as_deref()), ("it", 7, Some("request")));
    letter.ack().await.unwrap();
    nothing(&mut letters).await;
    nothing(&mut consumer).await;
    assert_eq!(take(&mut other, 1).await, [7], "it is dead on one channel only");
    nothing(&mut dead(&messages, "b").await).await;
}

pub(crate) async fn never_settled_it_is_a_dead_letter(server: impl Server) {
    let messages = server.open().await;
    let mut consumer = channel(&messages, "a", Rules { visibility_ms: 200, tries: 2, ..RULES }).await;
    tell(&messages, [1]).await;
    next(&mut consumer).await;
    assert_eq!(next(&mut consumer).await.attempt, 2);
    // Somebody consumes the channel, and never sees it again.
    let watched = tokio::spawn(async move { consumer.next().await.map(|came| came.attempt) });
    let mut letters = dead(&messages, "a").await;
    assert_eq!(take(&mut letters, 1).await, [1]);
    nothing(&mut letters).await;
    assert!(!watched.is_finished());
    watched.abort();
}

pub(crate) async fn rejected_it_is_a_dead_letter(server: impl Server) {
    let messages = server.open().await;
    let mut consumer = channel(&messages, "a", RULES).await;
    tell(&messages, [1, 2]).await;
    next(&mut consumer).await.reject().await.unwrap();
    assert_eq!(take(&mut consumer, 1).await, [2]);
    let mut letters = dead(&messages, "a").await;
    assert_eq!(take(&mut letters, 1).await, [1]);
    nothing(&mut letters).await;
    nothing(&mut consumer).await;
}

pub(crate) async fn what_cannot_be_read_is_a_dead_letter(server: impl Server) {
    let messages = server.open().await;
    let mut consumer = channel(&messages, "a", RULES).await;
    let scribble = Envelope::new("scribble", &Scribble("no note".to_owned())).unwrap();
    messages.publish(scribble).await.unwrap();
    tell(&messages, [2]).await;
    assert_eq!(take(&mut consumer, 1).await, [2]);
    nothing(&mut consumer).await;
    let mut letters: Consumer<Scribble> = messages.consume("dead-a").unwrap();
    let letter = next(&mut letters).await;
    assert_eq!((letter.id.as_str(), letter.message.0.as_str()), ("scribble", "no note"));
    letter.ack().await.unwrap();
    nothing(&mut letters).await;
}
