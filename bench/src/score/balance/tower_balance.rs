//! `tower`: `Balance`, which takes the less loaded of two, with `PeakEwma` for the load, behind a `Buffer`, as its
//! documentation of `balance` has it. It has no breaker, so that no instance is ever open.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::Pin;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tower::balance::p2c::Balance;
use tower::buffer::Buffer;
use tower::discover::ServiceList;
use tower::load::{CompleteOnResponse, PeakEwmaDiscover};
use tower::{BoxError, ServiceExt as _, service_fn};

use super::{AT_ONCE, Shares, beside_failing, three};

/// What is assumed of an instance that was never asked, and how fast what is known is forgotten: as in the example
/// `tower-balance` of `tower`.
const DEFAULT_RTT: Duration = Duration::from_millis(30);
const DECAY: Duration = Duration::from_secs(10);

/// Named, because an async block that holds a `Oneshot` of a buffer cannot be shown to be `Send`.
type Called = Pin<Box<dyn Future<Output = Result<bool, BoxError>> + Send>>;

pub(super) async fn run() -> Shares {
    let instances = three();
    let services = instances.each_ref().map(|instance| {
        let authority = instance.address().to_string().replace("http://", "");
        let at: SocketAddr = authority.parse().expect("it listens on loopback");
        service_fn(move |()| async move { Ok::<_, Infallible>(exchange(at).await.unwrap_or(false)) })
    });
    let completion = CompleteOnResponse::default();
    let discover = PeakEwmaDiscover::new(ServiceList::new(services), DEFAULT_RTT, DECAY, completion);
    let balance = Buffer::new(Balance::new(discover), AT_ONCE);
    let failing = beside_failing(&instances, move || {
        let called: Called = Box::pin(balance.clone().oneshot(()));
        async move { called.await.unwrap_or(false) }
    });
    Shares {
        name: "P2C with PeakEwma, tower",
        package: Some("tower"),
        beside_open: None,
        beside_failing: Some(failing.await),
    }
}

/// One call on a connection of its own: whether it was answered with 200.
async fn exchange(at: SocketAddr) -> std::io::Result<bool> {
    let mut socket = TcpStream::connect(at).await?;
    socket.write_all(b"GET /ratings/any HTTP/1.1\r\nhost: localhost\r\n\r\n").await?;
    let mut status = [0; "HTTP/1.1 200".len()];
    socket.read_exact(&mut status).await?;
    Ok(status.ends_with(b"200"))
}
