//! An exchange: a registry, messages and records on disk, the service, and whoever quotes.

use std::future::{Future, pending};
use std::net::SocketAddr;
use std::time::Duration;

use auction::provider::{self, Provider};
use auction::quotes::{self, Config};
use mainstay::contracts::quotes::{Counters, Providers, Quote, RfqView, provider_name};
use mainstay::{Address, Client, Service};
use mainstay_messaging::{Envelope, Messages, hub};
use mainstay_records::Records;
use rustix::process::Signal;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::process::Child;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::task::AbortOnDropHandle;

use crate::http::{Answer, ask, get, post};
use crate::program::{lines, program, send};
use crate::support::{free_port, in_time};

/// More than anything here takes; only a defect makes a test wait for it.
const LONG: Duration = Duration::from_secs(20);
/// How long to wait before something is looked at again that tells nobody of its changes.
const AGAIN: Duration = Duration::from_millis(10);

/// A registry, messages and a place for records.
pub(crate) struct Exchange {
    pub(crate) registry: SocketAddr,
    pub(crate) messages: Messages,
    present: Client<Providers>,
    hub: Option<AbortOnDropHandle<()>>,
    _registry: AbortOnDropHandle<()>,
    dir: TempDir,
}

/// Something that runs, in this process or in one of its own.
pub(crate) struct Running {
    pub(crate) address: SocketAddr,
    life: Life,
}

enum Life {
    Task { stop: oneshot::Sender<()>, task: JoinHandle<std::io::Result<()>> },
    Process(Child),
}

impl Exchange {
    /// With messages in this process.
    pub(crate) async fn open() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let messages = Messages::open(&format!("embedded:{}", dir.path().join("messages").display())).await.unwrap();
        let (registry, _registry) = registry().await;
        let present = Client::builder().registry(registry.into()).build().unwrap();
        Self { registry, messages, present, hub: None, _registry, dir }
    }

    /// With messages that a hub keeps, so that several processes share them.
    pub(crate) async fn with_hub() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let (registry, _registry) = registry().await;
        let messages = Messages::open(&format!("hub://{registry}")).await.unwrap();
        let present = Client::builder().registry(registry.into()).build().unwrap();
        let mut exchange = Self { registry, messages, present, hub: None, _registry, dir };
        exchange.find_hub();
        exchange
    }

    /// Starts a hub, with the messages of the one before.
    pub(crate) fn find_hub(&mut self) {
        let config = hub::Config::new(self.dir.path().join("messages"), self.registry.into());
        self.hub = Some(AbortOnDropHandle::new(tokio::spawn(async move {
            // The one before may still be leaving its directory.
            while let Err(error) = hub::run(config.clone(), free_port().await, pending()).await {
                assert!(error.is_unavailable(), "{error}");
                sleep(AGAIN).await;
            }
        })));
    }

    /// Ends the hub, as if it had crashed.
    pub(crate) async fn lose_hub(&mut self) {
        let hub = self.hub.take().unwrap();
        hub.abort();
        assert!(hub.await.unwrap_err().is_cancelled());
    }

    /// Where the service keeps its requests.
    pub(crate) fn records(&self) -> String {
        format!("sqlite:{}", self.dir.path().join("quotes.db").display())
    }

    /// Starts the service; requests are open for so long.
    pub(crate) async fn quotes(&self, open_for: Duration) -> Running {
        let records = Records::open(&self.records(), self.messages.clone()).await.unwrap();
        let config = Config { registry: self.registry.into(), messages: self.messages.clone(), records, open_for };
        Running::start(|listener, shutdown| quotes::run(config, listener, shutdown)).await
    }

    /// Starts providers, and waits until they can be asked.
    pub(crate) async fn providers(&self, providers: impl IntoIterator<Item = Provider>) -> Running {
        let providers: Vec<_> = providers.into_iter().collect();
        let names: Vec<_> = providers.iter().map(Provider::name).collect();
        let config = provider::Config { registry: self.registry.into(), messages: self.messages.clone(), providers };
        let running = Running::start(|listener, shutdown| provider::run(config, listener, shutdown)).await;
        self.until_present(&names).await;
        running
    }

    /// Starts a program, and waits until it says where it listens.
    pub(crate) async fn program(&self, path: &str, args: &[&str]) -> Running {
        let mut child = program(path, self.registry, args);
        let line = in_time(lines(&mut child, 1)).await.remove(0);
        let address: Address = line.split_once(" on ").unwrap().1.parse().unwrap();
        Running { address: address.authority().parse().unwrap(), life: Life::Process(child) }
    }

    /// Waits until all of these can be asked.
    pub(crate) async fn until_present(&self, names: &[String]) {
        let is_known = |known: &[String]| names.iter().all(|name| known.contains(name));
        until_known(&self.present, is_known).await;
    }

    /// Publishes a quote by hand, as anybody can.
    pub(crate) async fn tell(&self, rfq_id: &str, number: u32, quote: u32) {
        self.tell_as(rfq_id, &provider_name(number), quote).await;
    }

    pub(crate) async fn tell_as(&self, rfq_id: &str, responder: &str, quote: u32) {
        let (rfq_id, responder) = (rfq_id.to_owned(), responder.to_owned());
        let quote = Quote { rfq_id, responder, quote };
        let envelope = Envelope::new(Messages::new_id(), &quote).unwrap();
        let limit = Instant::now() + LONG;
        // The service may not have made its channel yet.
        while let Err(error) = self.messages.publish(envelope.clone()).await {
            assert!(error.is_unknown() && Instant::now() < limit, "{error}");
            sleep(AGAIN).await;
        }
    }
}

async fn registry() -> (SocketAddr, AbortOnDropHandle<()>) {
    let listener = free_port().await;
    let address = listener.local_addr().unwrap();
    let run = mainstay_registry::run(Default::default(), listener, pending());
    let task = tokio::spawn(async { run.await.expect("a registry") });
    (address, AbortOnDropHandle::new(task))
}

impl Running {
    async fn start<F>(run: impl FnOnce(TcpListener, Shutdown) -> F) -> Self
    where
        F: Future<Output = std::io::Result<()>> + Send + 'static,
    {
        let listener = free_port().await;
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let shutdown = Box::pin(async { stopped.await.unwrap_or_default() });
        Self { address, life: Life::Task { stop, task: tokio::spawn(run(listener, shutdown)) } }
    }

    /// Asks it to end, and waits until it has.
    pub(crate) async fn stop(self) {
        match self.life {
            Life::Task { stop, task } => {
                stop.send(()).unwrap();
                in_time(task).await.unwrap().unwrap();
            }
            Life::Process(mut child) => {
                send(&child, Signal::TERM);
                assert!(in_time(child.wait()).await.unwrap().success());
            }
        }
    }

    /// Ends it at once: `kill -9`, or as if it were that.
    pub(crate) async fn crash(self) {
        match self.life {
            Life::Task { task, .. } => {
                task.abort();
                assert!(task.await.unwrap_err().is_cancelled());
            }
            Life::Process(mut child) => {
                send(&child, Signal::KILL);
                child.wait().await.unwrap();
            }
        }
    }

    pub(crate) async fn submit(&self) -> String {
        let answer = self.post(r#"{"from":"Frankfurt","to":"Las Vegas","customer":"cmr"}"#).await;
        assert_eq!(answer.status, 201, "{answer:?}");
        answer.body["rfq-id"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn post(&self, body: &str) -> Answer {
        ask(self.address, post("/submit-instant-ride-rfq", "application/json", body)).await
    }

    pub(crate) async fn query(&self, id: &str) -> Answer {
        self.get(&format!("/query-instant-ride-rfq/{id}")).await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        ask(self.address, get(path)).await
    }

    pub(crate) async fn view(&self, id: &str) -> RfqView {
        let answer = self.query(id).await;
        serde_json::from_value(answer.body.clone()).unwrap_or_else(|error| panic!("{error}: {answer:?}"))
    }

    /// How a request stands once it is as wanted.
    pub(crate) async fn until(&self, id: &str, what: &str, wanted: impl Fn(&RfqView) -> bool) -> RfqView {
        let limit = Instant::now() + LONG;
        loop {
            let view = self.view(id).await;
            if wanted(&view) {
                return view;
            }
            assert!(Instant::now() < limit, "{what}: never so, but {view:?}");
            sleep(AGAIN).await;
        }
    }

    /// What became of all quotes, once so many have come.
    pub(crate) async fn counted(&self, quotes: u64) -> Counters {
        let limit = Instant::now() + LONG;
        loop {
            let answer = self.get("/quotes/counters").await;
            let counters: Counters = serde_json::from_value(answer.body).unwrap();
            let Counters { stored, twice, unknown, unasked, late } = counters;
            if stored + twice + unknown + unasked + late >= quotes {
                return counters;
            }
            assert!(Instant::now() < limit, "{quotes} have not come, but {counters:?}");
            sleep(AGAIN).await;
        }
    }
}

/// Waits until the instances that a client knows are as wanted.
pub(crate) async fn until_known<S: Service>(client: &Client<S>, wanted: impl Fn(&[String]) -> bool) {
    let mut events = client.events();
    let known =
        || -> Vec<_> { client.snapshot().instances.iter().map(|view| view.instance.id.as_str().to_owned()).collect() };
    let waiting = async {
        while !wanted(&known()) {
            let _ = events.next().await;
        }
    };
    assert!(timeout(LONG, waiting).await.is_ok(), "never as wanted, but {:?}", known());
}

/// Whoever quotes at once.
pub(crate) fn prompt(number: u32) -> Provider {
    let mut provider = Provider::new(number);
    (provider.manner.silence, provider.manner.delay) = (0.0, Duration::ZERO..=Duration::ZERO);
    provider
}

/// Whoever never does.
pub(crate) fn silent(number: u32) -> Provider {
    let mut provider = Provider::new(number);
    provider.manner.silence = 1.0;
    provider
}

type Shutdown = std::pin::Pin<Box<dyn Future<Output = ()> + Send>>;
