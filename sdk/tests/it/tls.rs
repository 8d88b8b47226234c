//! Calls over TLS: real sockets, real certificates.

mod authority;
mod instance;

use std::error::Error as _;
use std::time::Duration;

use mainstay::contracts::ratings::Ratings;
use mainstay::testing::{Answer, Network, assert_settled};
use mainstay::{Address, BreakerState, BuildError, Client, Error, ErrorKind, EventKind, Policy, Registration, Service};
use mainstay_registry::Config;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::{ClientConfig, ServerConfig};

use self::authority::Authority;
use self::instance::{Close, Instance};
use crate::common::{Order, Orders, RATING, breaker, camera};

/// More than anything here takes; only a defect makes a test wait for it.
const LONG: Duration = Duration::from_secs(20);

/// Two failures open a breaker, which then stays open.
const TWICE: Policy =
    Ratings::POLICY.to_builder().failure_limit(2).timeout(Duration::from_secs(5)).no_health_path().build_const();

fn client(address: Address, config: &ClientConfig) -> Client<Ratings> {
    Client::builder().fixed([address]).policy(TWICE).tls(config).build().unwrap()
}

async fn refused(client: &Client<Ratings>) -> Error {
    let error = camera(client).await.unwrap_err();
    assert_eq!((error.kind(), error.was_sent(), error.is_down()), (ErrorKind::Refused, false, true), "{error:?}");
    error
}

/// What an error and everything below it say.
fn told(error: &Error) -> String {
    let below = std::iter::successors(error.source(), |&error| error.source());
    below.fold(error.to_string(), |told, error| format!("{told}: {error}"))
}

#[tokio::test]
async fn a_hundred_calls_are_one_handshake() {
    let authority = Authority::new();
    for host in ["127.0.0.1", "localhost"] {
        let instance = Instance::start(authority.server(authority.certify(&["127.0.0.1", "localhost"]))).await;
        let client = client(instance.address(host), &authority.client());
        for _ in 0..100 {
            assert!(camera(&client).await.unwrap().is_live());
        }
        assert_eq!((instance.handshakes(), instance.requests()), (1, 100), "{host}");
        assert_settled(&client).await;
    }
}

#[tokio::test]
async fn a_certificate_that_does_not_count_is_a_refusal_with_its_reason() {
    let (ours, theirs) = (Authority::new(), Authority::new());
    for (identity, reason) in [
        (theirs.certify(&["127.0.0.1"]), "UnknownIssuer"),
        (ours.certify(&["127.0.0.2", "localhost"]), "not valid for name"),
        (ours.certify_once(&["127.0.0.1"]), "expired"),
    ] {
        let instance = Instance::start(ours.server(identity)).await;
        let client = client(instance.address("127.0.0.1"), &ours.client());
        let error = refused(&client).await;
        assert!(told(&error).contains("TLS handshake failed"), "{}", told(&error));
        assert!(told(&error).contains(reason), "{} does not say {reason}", told(&error));
        assert_eq!(instance.requests(), 0);
        assert_settled(&client).await;
    }
}

#[tokio::test]
async fn who_does_not_speak_tls_is_a_refusal() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = format!("https://{}", listener.local_addr().unwrap()).parse().unwrap();
    let mut server = JoinSet::new();
    server.spawn(async move { axum::serve(listener, axum::Router::new()).await.unwrap() });
    let client = client(address, &Authority::new().client());
    let error = refused(&client).await;
    assert!(told(&error).contains("TLS handshake failed"), "{}", told(&error));
}

#[tokio::test]
async fn a_handshake_takes_from_the_attempts_timeout() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address: Address = format!("https://{}", listener.local_addr().unwrap()).parse().unwrap();
    let policy = TWICE.to_builder().timeout(Duration::from_millis(50)).build_const();
    let config = Authority::new().client();
    let client = Client::<Ratings>::builder().fixed([address]).policy(policy).tls(&config).build().unwrap();
    let error = timeout(LONG, camera(&client)).await.expect("in time").unwrap_err();
    assert_eq!((error.kind(), error.was_sent()), (ErrorKind::Timeout, false));
    assert_settled(&client).await;
}

#[tokio::test]
async fn handshakes_that_fail_open_the_breaker_and_it_says_why() {
    let (ours, theirs) = (Authority::new(), Authority::new());
    let instance = Instance::start(theirs.server(theirs.certify(&["127.0.0.1"]))).await;
    let client = client(instance.address("127.0.0.1"), &ours.client());
    let mut events = client.events();
    refused(&client).await;
    assert_eq!(breaker(&client, 1), BreakerState::Closed);
    refused(&client).await;
    assert_eq!(breaker(&client, 1), BreakerState::Open);
    assert_eq!(camera(&client).await.unwrap_err().kind(), ErrorKind::AllOpen);
    let event = timeout(LONG, events.next()).await.unwrap().unwrap();
    assert!(matches!(&event.kind, EventKind::Open { cause, .. } if cause.contains("TLS handshake failed")), "{event}");
    assert_settled(&client).await;
}

#[tokio::test]
async fn who_asks_for_a_client_certificate_gets_it() {
    let authority = Authority::new();
    let instance = Instance::start(authority.strict_server(authority.certify(&["127.0.0.1"]))).await;
    let known = client(instance.address("127.0.0.1"), &authority.client_as(authority.certify(&["shop"])));
    assert!(camera(&known).await.unwrap().is_live());

    // The newer TLS lets a client speak before it is told that it may not.
    let unknown = client(instance.address("127.0.0.1"), &authority.client());
    let error = camera(&unknown).await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Refused | ErrorKind::Broken), "{}", told(&error));
    assert_eq!(instance.requests(), 1);
    assert_settled(&known).await;
    assert_settled(&unknown).await;
}

#[tokio::test]
async fn a_connection_that_closed_while_idle_is_replaced_without_an_error() {
    let authority = Authority::new();
    let mut instance = Instance::start(authority.server(authority.certify(&["127.0.0.1"]))).await;
    let builder = Client::<Orders>::builder().fixed([instance.address("127.0.0.1")]);
    let client = builder.tls(&authority.client()).build().unwrap();
    let order = || client.call(Order { thing: "camera".to_owned() });
    for (how, handshakes) in [(Close::Said, 2), (Close::Unsaid, 3)] {
        order().await.unwrap();
        timeout(LONG, instance.close(how)).await.unwrap();
        order().await.unwrap_or_else(|error| panic!("{how:?}: {}", told(&error)));
        assert_eq!(instance.handshakes(), handshakes, "{how:?}");
    }
    assert_eq!(instance.requests(), 4);
    assert_settled(&client).await;
}

#[tokio::test]
async fn http2_is_agreed_upon_in_the_handshake() {
    let authority = Authority::new();
    let identity = || authority.certify(&["127.0.0.1"]);
    let mut both = authority.server(identity());
    both.alpn_protocols = vec![b"h2".into(), b"http/1.1".into()];
    let instance = Instance::start(both).await;
    let http1 = client(instance.address("127.0.0.1"), &authority.client());
    let ask = |address| Client::<Ratings>::builder().fixed([address]).policy(TWICE.to_builder().http2().build_const());
    let http2 = ask(instance.address("127.0.0.1")).tls(&authority.client()).build().unwrap();
    for client in [&http1, &http2] {
        let calls = futures_util::future::join_all((0..10).map(|_| camera(client))).await;
        assert!(calls.into_iter().all(|call| call.unwrap().is_live()));
    }
    assert_eq!((instance.handshakes(), instance.requests()), (11, 20), "ten connections, and one");

    let neither = Instance::start(authority.server(identity())).await;
    let client = ask(neither.address("127.0.0.1")).tls(&authority.client()).build().unwrap();
    let error = refused(&client).await;
    assert!(told(&error).contains("no HTTP/2 was agreed upon"), "{}", told(&error));
}

#[tokio::test]
async fn a_client_without_tls_is_not_built_for_https() {
    let https = || "https://127.0.0.1:1".parse::<Address>().unwrap();
    let builder = Client::<Ratings>::builder;
    for builder in [builder().fixed(["127.0.0.1:1".parse().unwrap(), https()]), builder().registry(https())] {
        let error = builder.build().unwrap_err();
        assert!(matches!(&error, BuildError::NoTls(address) if *address == https()));
        assert!(error.to_string().contains("https://127.0.0.1:1"));
    }
    let network = Network::new();
    let instance = network.instance("https://10.0.0.1:443", |_| Answer::ok(RATING));
    let client = builder().fixed([instance.address()]).network(network).build().unwrap();
    assert!(camera(&client).await.unwrap().is_live(), "a simulated network needs no TLS");
}

/// The registry, as it is and behind TLS.
struct Registry {
    plain: Address,
    secure: Address,
    _tasks: JoinSet<()>,
}

impl Registry {
    async fn start(config: ServerConfig) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let front = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let (behind, before) = (listener.local_addr().unwrap(), front.local_addr().unwrap());
        let acceptor = TlsAcceptor::from(std::sync::Arc::new(config));
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            mainstay_registry::run(Config::default(), listener, std::future::pending()).await.unwrap();
        });
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                let (socket, _) = front.accept().await.unwrap();
                let acceptor = acceptor.clone();
                connections.spawn(async move {
                    let mut near = acceptor.accept(socket).await.unwrap();
                    let mut far = TcpStream::connect(behind).await.unwrap();
                    let _ = copy_bidirectional(&mut near, &mut far).await;
                });
            }
        });
        Self { plain: behind.into(), secure: format!("https://{before}").parse().unwrap(), _tasks: tasks }
    }
}

#[tokio::test]
async fn the_registry_may_be_behind_tls_and_tell_of_instances_behind_it() {
    let authority = Authority::new();
    let registry = Registry::start(authority.server(authority.certify(&["127.0.0.1"]))).await;
    let instance = Instance::start(authority.server(authority.certify(&["127.0.0.1"]))).await;
    let registration = Registration::new::<Ratings>("ratings-1".parse().unwrap(), instance.address("127.0.0.1"));
    let lease = registration.registry(registry.secure.clone()).tls(&authority.client()).start();
    timeout(LONG, lease.registered()).await.unwrap();

    let client = Client::<Ratings>::builder().registry(registry.secure.clone()).tls(&authority.client());
    assert!(camera(&client.build().unwrap()).await.unwrap().is_live());

    // One that has no TLS, and learns too late that it needs some.
    let client = Client::<Ratings>::builder().registry(registry.plain.clone()).policy(TWICE).build().unwrap();
    for _ in 0..3 {
        let error = camera(&client).await.unwrap_err();
        assert_eq!((error.kind(), error.was_sent(), error.is_down()), (ErrorKind::NoTls, false, false));
        assert!(error.to_string().contains("ratings instance 1: an https address"), "{error}");
    }
    assert_eq!(breaker(&client, 1), BreakerState::Closed, "it has done nothing wrong");
    assert_settled(&client).await;
    lease.release().await;
}
