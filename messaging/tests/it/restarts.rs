//! A hub that ends and comes back on the same directory.

use std::time::Duration;

use mainstay_messaging::hub::Config;
use mainstay_messaging::{Messages, Rules};
use tokio::net::TcpListener;
use tokio::time::Instant;

use crate::support::{News, Registry, Running, directory, free_port, news, soon, within};

#[tokio::test]
async fn whoever_waits_for_messages_goes_on_when_the_hub_is_back() {
    let (directory, registry) = (directory(), Registry::start().await);
    let config = Config::new(directory.path(), registry.address.into());
    let hub = Running::start(config.clone(), free_port().await).await;
    let address = hub.address;
    let messages = registry.messages().await;
    messages.declare::<News>("readers", soon()).await.unwrap();
    let mut readers = messages.consume::<News>("readers").unwrap();
    messages.tell(&news("before")).await.unwrap();
    within(readers.next()).await.unwrap().ack().await.unwrap();
    let mut waits = tokio::spawn(async move { readers.next().await.map(|delivery| delivery.message.text) });
    messages.tell(&news("kept")).await.unwrap();
    assert_eq!(within(&mut waits).await.unwrap().unwrap(), "kept");

    hub.stop().await;
    let told = tokio::spawn({
        let messages = messages.clone();
        async move { messages.tell(&news("while it was away")).await }
    });
    let hub = Running::start(config, TcpListener::bind(address).await.unwrap()).await;
    within(told).await.unwrap().unwrap();
    let mut readers = messages.consume::<News>("readers").unwrap();
    let mut texts = Vec::new();
    while texts.len() < 2 {
        let delivery = within(readers.next()).await.unwrap();
        delivery.ack().await.unwrap();
        texts.push(delivery.message.text);
    }
    texts.sort_unstable();
    // It was delivered, and never acknowledged.
    assert_eq!(texts, ["kept", "while it was away"]);
    hub.stop().await;
}

#[tokio::test]
async fn a_channel_that_is_not_kept_is_made_anew_for_whoever_consumes_it() {
    let (directory, registry) = (directory(), Registry::start().await);
    let config = Config::new(directory.path(), registry.address.into());
    let hub = Running::start(config.clone(), free_port().await).await;
    let address = hub.address;
    let messages = registry.messages().await;
    messages.declare::<News>("listeners", Rules { kept: false, ..soon() }).await.unwrap();
    let mut listeners = messages.consume::<News>("listeners").unwrap();
    let mut waits = tokio::spawn(async move { within(listeners.next()).await.map(|delivery| delivery.message.text) });
    hub.stop().await;
    let _hub = Running::start(config, TcpListener::bind(address).await.unwrap()).await;

    let end = Instant::now() + Duration::from_secs(20);
    let heard = loop {
        // Nobody knows the topic until the listener is back.
        match messages.tell(&news("hello again")).await {
            Ok(_) => break within(&mut waits).await.unwrap(),
            Err(error) => assert!(error.is_unknown() && Instant::now() < end, "{error}"),
        }
    };
    assert_eq!(heard.unwrap(), "hello again");
}

#[tokio::test]
async fn without_a_hub_a_publisher_is_told_in_time() {
    let registry = Registry::start().await;
    let messages: Messages = registry.messages().await;
    let begun = Instant::now();
    let error = messages.tell(&news("to nobody")).await.unwrap_err();
    assert!(error.is_unavailable(), "{error}");
    assert!(begun.elapsed() < Duration::from_secs(6), "{:?}", begun.elapsed());
}
