//! A network inside the process, whose instances can be paused and killed, for tests under paused time.
//!
//! Real sockets and `tokio::time::pause` do not go together: while everybody waits for a socket the clock
//! jumps to the next timeout. Here nothing waits but for somebody inside the runtime, so thirty seconds take
//! no time and happen in order. HTTP/1.1 without TLS is all that is spoken here, whatever address and policy say.
//!
//! ```
//! use mainstay::Client;
//! use mainstay::contracts::ratings::{GetRating, Ratings};
//! use mainstay::testing::{Answer, Network};
//!
//! #[tokio::main(flavor = "current_thread", start_paused = true)]
//! async fn main() -> Result<(), mainstay::Error> {
//!     let network = Network::new();
//!     let instance = network.instance("10.0.0.1:80", |_| Answer::ok(r#"{"thing":"camera","rating":4.5}"#));
//!     let client = Client::<Ratings>::builder().fixed([instance.address()]).network(network).build().unwrap();
//!
//!     assert!(client.call(GetRating::new("camera")).await?.is_live());
//!     instance.pause();
//!     let rating = client.call(GetRating::new("camera")).await?;
//!     assert!(rating.reason().is_some_and(|reason| reason.is_timeout()));
//!     Ok(())
//! }
//! ```

mod answer;
mod feed;

use std::collections::HashMap;
use std::convert::Infallible;
use std::fmt;
use std::future::Future;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use http::Response;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use mainstay_contracts::{Address, Service};
use parking_lot::Mutex;
use tokio::io::DuplexStream;
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

pub use self::answer::Answer;
pub use self::feed::Feed;
use crate::client::Client;

/// Bytes under way in each direction of a connection.
const BUFFER: usize = 64 * 1024;

/// How often it is looked whether all is settled.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// A simulated network. Clones are the same network.
#[derive(Clone, Default)]
pub struct Network {
    instances: Arc<Mutex<HashMap<String, Arc<Shared>>>>,
}

/// How an instance answers a request, given its path and query.
type Handler = dyn Fn(&str) -> Answer + Send + Sync;

struct Shared {
    condition: watch::Sender<Condition>,
    handler: Box<Handler>,
    requests: AtomicU64,
    connections: AtomicU64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Condition {
    Running,
    Paused,
    Killed,
}

impl Network {
    /// A network with nobody in it.
    pub fn new() -> Self {
        Self::default()
    }

    /// Starts an instance that answers every request by `handler`, given path and query: the whole of it, also where
    /// the address has a path.
    ///
    /// # Panics
    /// When `address` is not one.
    pub fn instance(
        &self,
        address: &str,
        handler: impl Fn(&str) -> Answer + Send + Sync + 'static,
    ) -> SimulatedInstance {
        let address: Address = match address.parse() {
            Ok(address) => address,
            Err(error) => panic!("{error}"),
        };
        let condition = watch::Sender::new(Condition::Running);
        let (requests, connections) = (AtomicU64::new(0), AtomicU64::new(0));
        let shared = Arc::new(Shared { condition, handler: Box::new(handler), requests, connections });
        let place = place(address.authority(), address.path());
        self.instances.lock().insert(place, Arc::clone(&shared));
        SimulatedInstance { address, shared }
    }

    /// As `connect(2)`: a paused instance accepts, by its kernel; a killed one refuses.
    pub(crate) async fn connect(&self, authority: &str, path: &str) -> io::Result<DuplexStream> {
        let shared = self.instances.lock().get(&place(authority, path)).cloned();
        match shared {
            Some(shared) if *shared.condition.borrow() != Condition::Killed => {
                let (near, far) = tokio::io::duplex(BUFFER);
                shared.connections.fetch_add(1, Ordering::Relaxed);
                tokio::spawn(async move {
                    serve(far, &shared).await;
                    shared.connections.fetch_sub(1, Ordering::Relaxed);
                });
                Ok(near)
            }
            _ => Err(io::ErrorKind::ConnectionRefused.into()),
        }
    }
}

/// Where an instance is, by whatever scheme.
fn place(authority: &str, path: &str) -> String {
    format!("{authority}{path}")
}

impl fmt::Debug for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.instances.lock().keys()).finish()
    }
}

async fn serve(socket: DuplexStream, shared: &Shared) {
    let answer = |request: http::Request<hyper::body::Incoming>| {
        shared.requests.fetch_add(1, Ordering::Relaxed);
        let answer = (shared.handler)(request.uri().path_and_query().map_or("/", |target| target.as_str()));
        let Answer { status, delay, body, feed } = answer;
        let body = Feed::after(body, feed);
        async move {
            sleep(delay).await;
            let mut response = Response::new(body);
            *response.status_mut() = status;
            Ok::<_, Infallible>(response)
        }
    };
    let connection = http1::Builder::new().serve_connection(TokioIo::new(socket), service_fn(answer));
    while_running(&shared.condition, connection).await;
}

/// Drives a connection, but only while its process runs; drops it when the process is killed.
async fn while_running(condition: &watch::Sender<Condition>, connection: impl Future) {
    let mut condition = condition.subscribe();
    let mut connection = std::pin::pin!(connection);
    loop {
        let now = *condition.borrow_and_update();
        tokio::select! {
            biased;
            changed = condition.changed() => if changed.is_err() { return },
            _ = &mut connection, if now == Condition::Running => return,
        }
        if *condition.borrow() == Condition::Killed {
            return;
        }
    }
}

/// One instance of a [`Network`].
pub struct SimulatedInstance {
    address: Address,
    shared: Arc<Shared>,
}

impl SimulatedInstance {
    /// Where it is.
    pub fn address(&self) -> Address {
        self.address.clone()
    }

    /// How many requests it has read, probes included.
    pub fn requests(&self) -> u64 {
        self.shared.requests.load(Ordering::Relaxed)
    }

    /// How many connections to it are open.
    pub fn connections(&self) -> u64 {
        self.shared.connections.load(Ordering::Relaxed)
    }

    /// As SIGSTOP: connections stand and are accepted, nothing is read or answered.
    pub fn pause(&self) {
        self.shared.condition.send_replace(Condition::Paused);
    }

    /// As SIGCONT, or as starting again after [`kill`](SimulatedInstance::kill).
    pub fn resume(&self) {
        self.shared.condition.send_replace(Condition::Running);
    }

    /// As SIGKILL: connections break, new ones are refused.
    pub fn kill(&self) {
        self.shared.condition.send_replace(Condition::Killed);
    }
}

impl fmt::Debug for SimulatedInstance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let condition = *self.shared.condition.borrow();
        f.debug_struct("SimulatedInstance").field("address", &self.address).field("condition", &condition).finish()
    }
}

/// Waits until every permit that a client's breakers gave is settled: what should hold at the end of every test.
///
/// Attempts whose caller has left take until the policy's timeout; this waits twice as long.
///
/// # Panics
/// When a permit is still out then, naming its instance.
pub async fn assert_settled<S: Service>(client: &Client<S>) {
    let out = || client.snapshot().instances.into_iter().find(|view| view.permits.out() > 0);
    let deadline = Instant::now() + client.policy().timeout() * 2;
    while let Some(view) = out() {
        assert!(Instant::now() < deadline, "permits are out: instance {}, {:?}", view.instance.number, view.permits);
        sleep(LOOK_EVERY).await;
    }
    for view in client.snapshot().instances {
        let (number, permits) = (view.instance.number, view.permits);
        assert_eq!(permits.issued, permits.settled(), "a permit was settled twice: instance {number}, {permits:?}");
    }
}
