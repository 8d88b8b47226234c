//! An auction house: a registry, the service, and whoever bids.

use std::future::{Future, pending};
use std::net::SocketAddr;
use std::time::Duration;

use auction::bidder::{self, Bidder, Manner};
use auction::{Auctioneer, run_with};
use mainstay::Presence;
use mainstay::testing::assert_settled;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::http::{Answer, ask, post};

/// More than anything here takes; only a defect makes a test wait for it.
const LONG: Duration = Duration::from_secs(20);

/// A registry and the auction service in this process. It is to be [closed](House::close).
pub(crate) struct House {
    pub(crate) registry: SocketAddr,
    pub(crate) auction: SocketAddr,
    pub(crate) auctioneer: Auctioneer,
    registry_task: JoinHandle<std::io::Result<()>>,
    stop: Option<oneshot::Sender<()>>,
    auction_task: JoinHandle<std::io::Result<()>>,
    closed: bool,
}

/// Bidders that share a listener in this process.
pub(crate) struct Running {
    pub(crate) address: SocketAddr,
    stop: oneshot::Sender<()>,
    task: JoinHandle<std::io::Result<()>>,
}

impl House {
    pub(crate) async fn open() -> Self {
        let listener = free_port().await;
        let registry = listener.local_addr().unwrap();
        let registry_task = tokio::spawn(mainstay_registry::run(Default::default(), listener, pending()));

        let listener = free_port().await;
        let auction = listener.local_addr().unwrap();
        let auctioneer = Auctioneer::new(registry.into()).unwrap();
        let (stop, stopped) = oneshot::channel();
        let config = auction::Config { registry: registry.into() };
        let shutdown = async { stopped.await.unwrap_or_default() };
        let auction_task = tokio::spawn(run_with(auctioneer.clone(), config, listener, shutdown));
        Self { registry, auction, auctioneer, registry_task, stop: Some(stop), auction_task, closed: false }
    }

    /// With bidders 1, 2 and 3 as they usually are.
    pub(crate) async fn usual() -> (Self, Running) {
        let house = Self::open().await;
        let bidders = house.bidders((1..=3).map(Bidder::new)).await;
        (house, bidders)
    }

    /// Starts bidders, and waits until the auctioneer knows them.
    pub(crate) async fn bidders(&self, bidders: impl IntoIterator<Item = Bidder>) -> Running {
        let bidders: Vec<_> = bidders.into_iter().collect();
        let numbers: Vec<_> = bidders.iter().map(|bidder| bidder.number).collect();
        let listener = free_port().await;
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let config = bidder::Config { registry: self.registry.into(), bidders };
        let shutdown = async { stopped.await.unwrap_or_default() };
        let task = tokio::spawn(bidder::run(config, listener, shutdown));
        self.until("they are there", |known| numbers.iter().all(|number| known.contains(number))).await;
        Running { address, stop, task }
    }

    /// Registers whatever is at this address by hand, as anybody can.
    pub(crate) async fn register(&self, number: u32, address: SocketAddr) {
        let body = json!({ "address": address.to_string(), "number": number }).to_string();
        let path = format!("/v1/services/bidders/instances/stranger-{number}");
        let request = post(&path, "application/json", &body).replacen("POST", "PUT", 1);
        let answer = ask(self.registry, request).await;
        assert!((200..300).contains(&answer.status), "{answer:?}");
        self.until("it is there", |known| known.contains(&number)).await;
    }

    /// Waits until what the auctioneer knows is as wanted: the numbers of all who are not gone, in their order.
    pub(crate) async fn until(&self, what: &str, wanted: impl Fn(&[u32]) -> bool) {
        let mut events = self.auctioneer.client().events();
        let known = || -> Vec<_> {
            let instances = self.auctioneer.client().snapshot().instances.into_iter();
            instances.filter(|view| view.presence != Presence::Gone).map(|view| view.instance.number).collect()
        };
        let waiting = async {
            while !wanted(&known()) {
                let _ = events.next().await;
            }
        };
        assert!(timeout(LONG, waiting).await.is_ok(), "{what}: never so, but {:?}", known());
    }

    /// Asks for an auction of the car in this condition, with this query.
    pub(crate) async fn auction(&self, condition: &str, query: &str) -> Answer {
        let body = json!({ "Item": "car", "Condition": condition }).to_string();
        ask(self.auction, post(&format!("/auction/setAuction{query}"), "application/json", &body)).await
    }

    /// Ends the registry, as if it had crashed.
    pub(crate) fn lose_registry(&self) {
        self.registry_task.abort();
    }

    /// Asks the service to end, and waits until it has.
    pub(crate) async fn stop_service(&mut self) {
        self.stop.take().unwrap().send(()).unwrap();
        (&mut self.auction_task).await.unwrap().unwrap();
    }

    /// Every test's end: each permit that was given has been settled.
    pub(crate) async fn close(mut self) {
        self.closed = true;
        assert_settled(self.auctioneer.client()).await;
    }
}

impl Drop for House {
    fn drop(&mut self) {
        self.registry_task.abort();
        self.auction_task.abort();
        assert!(self.closed || std::thread::panicking(), "a house is closed, so that its permits are counted");
    }
}

impl Running {
    pub(crate) async fn stop(self) {
        self.stop.send(()).unwrap();
        self.task.await.unwrap().unwrap();
    }
}

pub(crate) fn pays(number: u32, amount: u64) -> Bidder {
    Bidder { bids: format!("good={amount}").parse().unwrap(), ..Bidder::new(number) }
}

pub(crate) fn behaves(number: u32, manner: &str) -> Bidder {
    let manner: Manner = manner.parse().unwrap();
    Bidder { manner, ..Bidder::new(number) }
}

pub(crate) async fn free_port() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").await.unwrap()
}

pub(crate) async fn in_time<T>(future: impl Future<Output = T>) -> T {
    timeout(LONG, future).await.expect("in time")
}
