//! An instance in the registry: there while it runs, gone when it leaves.

use std::future::pending;
use std::net::SocketAddr;

use mainstay::contracts::ratings::{GetRating, Ratings};
use mainstay::{Client, EventKind, Presence};
use mainstay_registry::Config;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::support::{Running, ask, free_port, get};

pub(crate) struct Registry {
    pub(crate) address: SocketAddr,
    task: JoinHandle<std::io::Result<()>>,
}

pub(crate) fn registry_on(listener: TcpListener) -> Registry {
    let address = listener.local_addr().unwrap();
    Registry { address, task: tokio::spawn(mainstay_registry::run(Config::default(), listener, pending())) }
}

fn client_of(registry: &Registry) -> Client<Ratings> {
    Client::builder().registry(registry.address.into()).build().unwrap()
}

/// The next time an instance comes or goes.
async fn next(events: &mut mainstay::Events) -> (u32, Presence) {
    loop {
        match events.next().await.unwrap().kind {
            EventKind::Up { instance } => return (instance.number, Presence::Up),
            EventKind::Gone { instance, .. } => return (instance.number, Presence::Gone),
            _ => {}
        }
    }
}

#[tokio::test]
async fn it_is_found_by_its_name_and_is_gone_once_it_has_stopped() {
    let registry = registry_on(free_port().await);
    let client = client_of(&registry);
    let mut events = client.events();

    let ratings = Running::registered(7, registry.address.into()).await;
    assert_eq!(next(&mut events).await, (7, Presence::Up));
    let camera = client.call(GetRating::new("camera")).await.unwrap();
    assert_eq!((camera.value.rating.get(), camera.instance.number), (4.5, 7));
    assert_eq!(camera.instance.id.as_str(), "ratings-7");

    ratings.stop().await;
    let listing = ask(registry.address, get("/v1/services/ratings").as_bytes()).await;
    assert_eq!(listing.body["instances"], json!([]), "stopped means gone, with no time between");
    assert_eq!(next(&mut events).await, (7, Presence::Gone));
}

#[tokio::test]
async fn it_comes_back_to_a_registry_that_was_away() {
    let registry = registry_on(free_port().await);
    let client = client_of(&registry);
    let mut events = client.events();
    let _ratings = Running::registered(1, registry.address.into()).await;
    assert_eq!(next(&mut events).await, (1, Presence::Up));

    registry.task.abort();
    assert!(registry.task.await.unwrap_err().is_cancelled());
    let again = registry_on(TcpListener::bind(registry.address).await.unwrap());
    let other = client_of(&again);
    assert_eq!(next(&mut other.events()).await, (1, Presence::Up));
}
