//! Client and registration against the real registry, over real sockets and in real time.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use mainstay::contracts::ratings::{GetRating, Rating, Ratings, Stars};
use mainstay::serve::{self, Refused};
use mainstay::testing::assert_settled;
use mainstay::{
    Address, BreakerState, Call, Client, ErrorKind, Event, EventKind, Events, Lease, Presence, Registration,
};
use mainstay_registry::Config;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};

/// More than anything here takes; only a defect makes a test wait for it.
const LONG: Duration = Duration::from_secs(20);

struct Registry {
    address: SocketAddr,
    stop: tokio::sync::oneshot::Sender<()>,
    ended: JoinHandle<()>,
}

impl Registry {
    async fn start(address: SocketAddr) -> Self {
        Self::with(address, Config::default()).await
    }

    async fn with(address: SocketAddr, config: Config) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let ended = tokio::spawn(async move {
            let stopped = async move {
                let _ = stopped.await;
            };
            mainstay_registry::run(config, listener, stopped).await.unwrap();
        });
        Self { address, stop, ended }
    }

    async fn stop(self) -> SocketAddr {
        let _ = self.stop.send(());
        self.ended.await.unwrap();
        self.address
    }
}

fn anywhere() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 0))
}

async fn instance() -> SocketAddr {
    let listener = TcpListener::bind(anywhere()).await.unwrap();
    let address = listener.local_addr().unwrap();
    let rate = |call: GetRating| async move {
        let rating = Stars::new(4.5).ok_or_else(|| Refused::not_found("no stars"))?;
        Ok(Rating { thing: call.thing, rating })
    };
    let router = axum::Router::new().route(GetRating::ROUTE, serve::call(rate));
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

fn register(number: u32, address: SocketAddr, registry: SocketAddr) -> Lease {
    registration(number, address, registry).start()
}

fn registration(number: u32, address: SocketAddr, registry: SocketAddr) -> Registration {
    let id = format!("ratings-{number}").parse().unwrap();
    Registration::new::<Ratings>(id, address.into()).number(number).registry(Address::from(registry))
}

fn client(registry: SocketAddr) -> (Client<Ratings>, Events) {
    let client = Client::<Ratings>::builder().registry(registry.into()).build().unwrap();
    let events = client.events();
    (client, events)
}

/// The next event that `wanted` takes.
async fn until<T>(events: &mut Events, mut wanted: impl FnMut(&Event) -> Option<T>) -> T {
    let found = async {
        loop {
            let event = events.next().await.expect("the client lives");
            if let Some(found) = wanted(&event) {
                return found;
            }
        }
    };
    within(found).await
}

async fn within<T>(future: impl Future<Output = T>) -> T {
    timeout(LONG, future).await.expect("in time")
}

fn up(event: &Event) -> Option<u32> {
    if let EventKind::Up { instance } = &event.kind { Some(instance.number) } else { None }
}

fn gone(event: &Event) -> Option<String> {
    matches!(event.kind, EventKind::Gone { .. }).then(|| event.to_string())
}

#[tokio::test]
async fn an_instance_is_seen_when_it_comes_and_when_it_goes() {
    let registry = Registry::start(anywhere()).await;
    let (client, mut events) = client(registry.address);
    let error = client.call(GetRating::new("camera")).await.unwrap_err();
    assert!(error.is_down() && error.attempts() == 0);

    let address = instance().await;
    let lease = register(1, address, registry.address);
    assert_eq!(until(&mut events, up).await, 1);
    let fetched = client.call(GetRating::new("camera")).await.unwrap();
    assert_eq!((fetched.value.rating.get(), fetched.instance.number), (4.5, 1));

    within(lease.release()).await;
    assert!(until(&mut events, gone).await.ends_with("(left)"));

    let lease = register(1, address, registry.address);
    assert_eq!(until(&mut events, up).await, 1);
    drop(lease);
    assert!(until(&mut events, gone).await.ends_with("(connection closed)"));
    let fetched = client.call(GetRating::new("camera")).await.unwrap();
    assert!(fetched.reason().unwrap().is_down());
    registry.stop().await;
    assert_settled(&client).await;
}

#[tokio::test]
async fn calls_go_on_while_the_registry_is_away_and_after_it_is_back() {
    let registry = Registry::start(anywhere()).await;
    let (client, mut events) = client(registry.address);
    let healthy = instance().await;
    let dead = {
        let listener = TcpListener::bind(anywhere()).await.unwrap();
        listener.local_addr().unwrap()
    };
    let leases = [register(1, dead, registry.address), register(2, healthy, registry.address)];
    until(&mut events, up).await;
    until(&mut events, up).await;
    while state(&client, 1) == BreakerState::Closed {
        client.call(GetRating::new("camera")).await.unwrap();
    }

    let address = registry.stop().await;
    until(&mut events, |event| matches!(event.kind, EventKind::RegistryLost { known: 2, .. }).then_some(())).await;
    assert!(!client.snapshot().registry.unwrap().reachable);
    for _ in 0..100 {
        assert!(client.call(GetRating::new("camera")).await.unwrap().is_live());
    }

    let registry = Registry::start(address).await;
    until(&mut events, |event| matches!(event.kind, EventKind::RegistryBack { .. }).then_some(())).await;
    for lease in &leases {
        within(lease.registered()).await;
    }
    for _ in 0..100 {
        assert!(client.call(GetRating::new("camera")).await.unwrap().is_live());
    }
    let snapshot = client.snapshot();
    assert!(snapshot.registry.unwrap().reachable);
    assert!(snapshot.instances.iter().all(|view| view.presence == Presence::Up));
    assert_eq!((state(&client, 1), state(&client, 2)), (BreakerState::Open, BreakerState::Closed));
    registry.stop().await;
    assert_settled(&client).await;
}

#[tokio::test]
async fn a_client_without_its_registry_says_that_nobody_is_known() {
    let nobody = {
        let listener = TcpListener::bind(anywhere()).await.unwrap();
        listener.local_addr().unwrap()
    };
    let (client, _events) = client(nobody);
    let error = within(client.call(GetRating::new("camera"))).await.unwrap_err();
    assert!(error.is_down() && !error.was_sent());
    assert!(std::error::Error::source(&error).unwrap().to_string().contains("cannot be reached"), "{error:?}");
    assert!(!client.snapshot().registry.unwrap().reachable);
    assert_settled(&client).await;
}

#[tokio::test]
async fn a_registry_that_says_nothing_costs_a_call_its_deadline() {
    // The kernel accepts for it.
    let silent = TcpListener::bind(anywhere()).await.unwrap();
    let (client, _events) = client(silent.local_addr().unwrap());
    let deadline = Instant::now() + Duration::from_millis(100);
    let error = within(client.call_before(GetRating::new("camera"), deadline)).await.unwrap_err();
    assert_eq!((error.kind(), error.attempts(), error.was_sent()), (ErrorKind::Deadline, 0, false));
    assert_settled(&client).await;
}

/// Answers the first request of every connection, and hangs up on the second.
#[tokio::test]
async fn a_request_is_sent_twice_at_most_when_connections_break() {
    let listener = TcpListener::bind(anywhere()).await.unwrap();
    let address = listener.local_addr().unwrap();
    let requests = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&requests);
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            let counted = Arc::clone(&counted);
            tokio::spawn(async move {
                let mut buffer = [0; 4096];
                for request in 0..2 {
                    let Ok(1..) = socket.read(&mut buffer).await else { return };
                    counted.fetch_add(1, Ordering::SeqCst);
                    // All of the first requests are under way at once, so that each takes a connection.
                    if request == 0 {
                        sleep(Duration::from_millis(50)).await;
                        let body = r#"{"thing":"camera","rating":4.5}"#;
                        let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len());
                        socket.write_all(answer.as_bytes()).await.unwrap();
                    }
                }
            });
        }
    });
    let client = Client::<Ratings>::builder().fixed([address.into()]).build().unwrap();
    let calls = [(); 8].map(|()| client.call(GetRating::new("camera")));
    assert!(futures_util::future::join_all(calls).await.into_iter().all(|fetched| fetched.unwrap().is_live()));
    assert_eq!(requests.load(Ordering::SeqCst), 8);
    assert!(client.call(GetRating::new("camera")).await.unwrap().is_live());
    assert_eq!(requests.load(Ordering::SeqCst), 10);
    assert_settled(&client).await;
}

#[tokio::test]
async fn all_of_a_process_comes_and_goes_with_its_one_lease() {
    let registry = Registry::start(anywhere()).await;
    let (client, mut events) = client(registry.address);
    let address = instance().await;
    let lease = register(1, address, registry.address);
    for number in 2..=4 {
        let address = SocketAddr::from(([127, 0, 0, number as u8], 1));
        lease.register(registration(number, address, registry.address));
    }
    within(lease.registered()).await;
    let mut numbers = Vec::new();
    for _ in 1..=4 {
        numbers.push(until(&mut events, up).await);
    }
    numbers.sort_unstable();
    assert_eq!(numbers, [1, 2, 3, 4]);

    // Somebody else stands for one of them: the others stay, and so does the one that came later.
    let later = register(2, address, registry.address);
    within(later.registered()).await;
    drop(lease);
    for _ in [1, 3, 4] {
        assert!(
            until(&mut events, |event| gone(event).filter(|line| !line.contains("instance 2")))
                .await
                .ends_with("(connection closed)")
        );
    }
    let present = client.snapshot().instances.into_iter().filter(|view| view.presence == Presence::Up);
    assert_eq!(present.map(|view| view.instance.number).collect::<Vec<_>>(), [2]);
    within(later.release()).await;
    registry.stop().await;
}

#[tokio::test]
async fn who_drains_is_told_to_everybody_before_it_returns() {
    let registry = Registry::start(anywhere()).await;
    let (client, mut events) = client(registry.address);
    let addresses = [instance().await, instance().await];
    let first = register(1, addresses[0], registry.address);
    let second = register(2, addresses[1], registry.address);
    until(&mut events, up).await;
    until(&mut events, up).await;
    within(first.drain(Duration::from_secs(10))).await;
    until(&mut events, |event| matches!(event.kind, EventKind::Draining { .. }).then_some(())).await;
    for _ in 0..50 {
        assert_eq!(client.call(GetRating::new("camera")).await.unwrap().instance.number, 2);
    }
    within(first.release()).await;
    assert!(until(&mut events, gone).await.ends_with("(left)"));
    within(second.release()).await;
    registry.stop().await;
    assert_settled(&client).await;
}

#[tokio::test]
async fn a_registry_that_remembers_is_gone_and_back_without_any_news() {
    let directory = tempfile::TempDir::new().unwrap();
    let config = Config { data: Some(directory.path().to_owned()), ..Config::default() };
    let registry = Registry::with(anywhere(), config.clone()).await;
    let (client, mut events) = client(registry.address);
    let nowhere = |port| SocketAddr::from(([127, 0, 0, 1], port));
    let leases = [register(1, nowhere(1), registry.address), register(2, nowhere(2), registry.address)];
    until(&mut events, up).await;
    until(&mut events, up).await;

    let address = registry.stop().await;
    let registry = Registry::with(address, config).await;
    for lease in &leases {
        within(lease.registered()).await;
    }
    let back = |event: &Event| match &event.kind {
        EventKind::RegistryLost { .. } => None,
        EventKind::RegistryBack { .. } => Some(()),
        _ => panic!("{event}"),
    };
    until(&mut events, back).await;
    // All that has happened meanwhile comes before this.
    let [first, _second] = leases;
    within(first.release()).await;
    assert!(until(&mut events, |event| Some(event.to_string())).await.ends_with("(left)"));
    assert_eq!(client.snapshot().instances.len(), 2);
    registry.stop().await;
}

fn state(client: &Client<Ratings>, number: u32) -> BreakerState {
    let instances = client.snapshot().instances;
    instances.iter().find(|view| view.instance.number == number).expect("a known instance").breaker.state
}
