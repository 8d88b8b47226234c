//! What the hub does when it is asked for what it is there for.

use std::time::Duration;

use mainstay::contracts::Envelope;
use mainstay_messaging::{Messages, Rules};
use serde_json::json;
use tokio::time::Instant;

use crate::support::{News, Registry, Running, directory, news, soon, within};

#[tokio::test]
async fn what_one_program_publishes_another_consumes() {
    let (directory, registry) = (directory(), Registry::start().await);
    let hub = Running::registered(directory.path(), &registry).await;
    let (publisher, reader) = (registry.messages().await, registry.messages().await);
    publisher.declare::<News>("readers", soon()).await.unwrap();
    assert!(!publisher.publish(Envelope::new("1", &news("hello")).unwrap()).await.unwrap().twice);
    assert!(publisher.publish(Envelope::new("1", &news("hello")).unwrap()).await.unwrap().twice);

    let mut readers = reader.consume::<News>("readers").unwrap();
    let delivery = within(readers.next()).await.unwrap();
    assert_eq!((delivery.message.text.as_str(), &*delivery.id, delivery.attempt), ("hello", "1", 1));
    let topics = hub.get("/topics").await.body;
    assert_eq!((&topics[0]["topic"], &topics[0]["channels"][0]["in_flight"]), (&json!("news"), &json!(1)));
    delivery.ack().await.unwrap();
    assert_eq!(hub.get("/topics").await.body[0]["channels"][0]["waiting"], json!(0));
    hub.stop().await;
}

#[tokio::test]
async fn what_comes_again_and_what_never_can_be_consumed_is_counted() {
    let (directory, registry) = (directory(), Registry::start().await);
    let hub = Running::registered(directory.path(), &registry).await;
    let messages = registry.messages().await;
    messages.declare::<News>("readers", soon()).await.unwrap();
    messages.tell(&news("hard to read")).await.unwrap();
    let mut readers = messages.consume::<News>("readers").unwrap();
    within(readers.next()).await.unwrap().nack().await.unwrap();
    let again = within(readers.next()).await.unwrap();
    assert_eq!(again.attempt, 2);
    again.reject().await.unwrap();
    let channels = hub.get("/topics").await.body[0]["channels"].clone();
    let counted =
        |at: usize| ["waiting", "delivered", "redelivered", "dead"].map(|name| channels[at][name].as_u64().unwrap());
    assert_eq!((&channels[0]["channel"], counted(0)), (&json!("dead-readers"), [1, 0, 0, 0]));
    assert_eq!((&channels[1]["channel"], counted(1)), (&json!("readers"), [0, 2, 1, 1]));
}

#[tokio::test]
async fn what_is_wrong_is_told_to_whoever_published() {
    let (directory, registry) = (directory(), Registry::start().await);
    let _hub = Running::registered(directory.path(), &registry).await;
    let messages = registry.messages().await;
    let error = messages.tell(&news("to nobody")).await.unwrap_err();
    assert!(error.is_unknown() && error.to_string().contains("news"), "{error}");
    let error = within(messages.consume::<News>("nobody").unwrap().next()).await.unwrap_err();
    assert!(error.is_unknown() && error.to_string().contains("news/nobody"), "{error}");
    let error = messages.declare::<News>("readers", Rules { visibility_ms: 0, ..soon() }).await.unwrap_err();
    assert!(error.is_bad() && error.to_string().contains("visibility"), "{error}");
}

#[tokio::test]
async fn a_request_is_replied_to_through_the_hub() {
    let (directory, registry) = (directory(), Registry::start().await);
    let _hub = Running::registered(directory.path(), &registry).await;
    let messages = registry.messages().await;
    messages.declare::<News>("workers", soon()).await.unwrap();
    let (replies, requests) = (messages.clone(), messages.consume::<News>("workers").unwrap());
    let worker = requests.run(
        4,
        move |request| {
            let messages = replies.clone();
            async move { Ok(messages.reply(&request, &Echo(format!("{}!", request.message.text))).await?) }
        },
        std::future::pending(),
    );
    let asker = messages.asker::<Echo>().await.unwrap();
    let request = news("is anybody there");
    let asked = asker.ask(&request, Instant::now() + Duration::from_secs(10));
    tokio::select! {
        reply = asked => assert_eq!(reply.unwrap().0, "is anybody there!"),
        ended = worker => panic!("{ended:?}"),
    }
}

#[derive(Debug, serde::Serialize, serde::Deserialize)]
struct Echo(String);
impl mainstay::contracts::Message for Echo {
    const TOPIC: &'static str = "echoes";
}

#[tokio::test]
async fn a_consumer_that_leaves_while_it_waits_takes_nothing_with_it() {
    let (directory, registry) = (directory(), Registry::start().await);
    let _hub = Running::registered(directory.path(), &registry).await;
    let messages = registry.messages().await;
    // Whatever it took would come back after this test.
    messages.declare::<News>("readers", Rules { visibility_ms: 60_000, ..soon() }).await.unwrap();
    let mut leaves = messages.consume::<News>("readers").unwrap();
    assert!(tokio::time::timeout(Duration::from_millis(100), leaves.next()).await.is_err(), "nothing is there");
    drop(leaves);
    messages.tell(&news("hello")).await.unwrap();
    let delivery = within(messages.consume::<News>("readers").unwrap().next()).await.unwrap();
    assert_eq!(delivery.message.text, "hello");
}

#[tokio::test]
async fn a_full_topic_is_told_to_whoever_publishes_and_goes_on_when_there_is_room() {
    let (directory, registry) = (directory(), Registry::start().await);
    let mut config = mainstay_messaging::hub::Config::new(directory.path(), registry.address.into());
    config.limits.messages = 2;
    let _hub = Running::start(config, crate::support::free_port().await).await;
    let messages = registry.messages().await;
    messages.declare::<News>("readers", soon()).await.unwrap();
    for text in ["1", "2"] {
        messages.tell(&news(text)).await.unwrap();
    }
    let error = messages.tell(&news("3")).await.unwrap_err();
    assert!(error.is_full() && error.to_string().contains("2 messages"), "{error}");
    within(messages.consume::<News>("readers").unwrap().next()).await.unwrap().ack().await.unwrap();
    messages.tell(&news("3")).await.unwrap();
}

#[tokio::test]
async fn a_url_that_is_none_is_refused_with_the_reason() {
    for (url, why) in [
        ("", "none of embedded:DIR"),
        ("redis://127.0.0.1:6379", "none of embedded:DIR"),
        ("/var/hub", "none of embedded:DIR"),
        ("embedded:", "names no directory"),
        ("hub:127.0.0.1:8500", "it has no //"),
        ("hub://", "hub://HOST:PORT"),
        ("hub://registry", "hub://HOST:PORT"),
        ("hub://127.0.0.1:99999", "hub://HOST:PORT"),
    ] {
        let error = Messages::open(url).await.unwrap_err();
        assert!(error.is_bad() && error.to_string().contains(why), "{url}: {error}");
    }
}
