//! Requests and replies.

use std::time::Duration;

use mainstay_messaging::{Consumer, Envelope, Messages};
use tokio::time::Instant;

use crate::server::Server;
use crate::support::{Answer, Note, RULES, channel, next};

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(10)
}

/// Takes so many requests before it replies to any, the last one first.
async fn answer(messages: &Messages, consumer: &mut Consumer<Note>, count: usize) {
    let mut requests = Vec::new();
    for _ in 0..count {
        requests.push(next(consumer).await);
    }
    while let Some(request) = requests.pop() {
        messages.reply(&request, &Answer { to: request.message.n }).await.unwrap();
        request.ack().await.unwrap();
    }
}

pub(crate) async fn replies_find_whoever_asked(server: impl Server) {
    let (messages, other) = (server.open().await, server.open().await);
    let mut requests = channel(&other, "workers", RULES).await;
    let (one, two) = (messages.asker::<Answer>().await.unwrap(), messages.asker::<Answer>().await.unwrap());
    let notes = [1, 2, 3].map(|n| Note { n });
    let asked =
        async { tokio::join!(one.ask(&notes[0], soon()), two.ask(&notes[1], soon()), one.ask(&notes[2], soon())) };
    let ((first, second, third), ()) = tokio::join!(asked, answer(&other, &mut requests, 3));
    assert_eq!([first, second, third].map(|reply| reply.unwrap().to), [1, 2, 3]);
}

pub(crate) async fn a_foreign_reply_is_ignored(server: impl Server) {
    let (messages, other) = (server.open().await, server.open().await);
    let mut requests = channel(&other, "workers", RULES).await;
    let asker = messages.asker::<Answer>().await.unwrap();
    let replies = async {
        let request = next(&mut requests).await;
        let channel = request.reply_to.clone().unwrap();
        let foreign = Envelope::new("foreign", &Answer { to: 666 }).unwrap().only_to(&channel);
        other.publish(foreign.clone()).await.unwrap();
        other.publish(Envelope { id: "stray".to_owned(), ..foreign.correlated("another") }).await.unwrap();
        other.reply(&request, &Answer { to: request.message.n }).await.unwrap();
        other.reply(&request, &Answer { to: request.message.n }).await.unwrap();
        request.ack().await.unwrap();
    };
    let note = Note { n: 7 };
    let (reply, ()) = tokio::join!(asker.ask(&note, soon()), replies);
    assert_eq!(reply.unwrap(), Answer { to: 7 });
    // It is still there, and the second reply to another request is none to this one.
    let note = Note { n: 8 };
    let (reply, ()) = tokio::join!(asker.ask(&note, soon()), answer(&other, &mut requests, 1));
    assert_eq!(reply.unwrap(), Answer { to: 8 });
}

pub(crate) async fn a_request_without_a_reply_ends_in_time(server: impl Server) {
    let messages = server.open().await;
    let _requests = channel(&messages, "workers", RULES).await;
    let asker = messages.asker::<Answer>().await.unwrap();
    let asked = Instant::now();
    let error = asker.ask(&Note { n: 1 }, asked + Duration::from_millis(300)).await.unwrap_err();
    assert!(error.is_unanswered(), "{error}");
    assert!(asked.elapsed() < Duration::from_secs(2), "{:?}", asked.elapsed());
}

pub(crate) async fn a_reply_to_somebody_who_is_gone_is_no_error(server: impl Server) {
    let (messages, other) = (server.open().await, server.open().await);
    let mut requests = channel(&other, "workers", RULES).await;
    let asker = messages.asker::<Answer>().await.unwrap();
    let error = asker.ask(&Note { n: 1 }, Instant::now() + Duration::from_millis(100)).await.unwrap_err();
    assert!(error.is_unanswered(), "{error}");
    drop((asker, messages));
    let request = next(&mut requests).await;
    other.reply(&request, &Answer { to: 1 }).await.unwrap();
    request.ack().await.unwrap();
}
