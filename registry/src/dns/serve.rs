//! Both sockets, until the registry stops.

use std::sync::Arc;

use tokio::net::{TcpListener, UdpSocket};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::info;

use super::{Config, Names, Resolver, tcp, udp};

/// Answers on both sockets, which should have the same address, until `stop` is cancelled. Then it ends its connections
/// and returns; so it does when it is dropped, without waiting for them.
pub async fn serve(
    socket: UdpSocket,
    listener: TcpListener,
    names: Arc<dyn Names>,
    config: Config,
    stop: CancellationToken,
) {
    let stop = stop.child_token();
    let _stopped = stop.clone().drop_guard();
    let address = socket.local_addr().ok();
    let own = address.map(|address| address.ip()).filter(|ip| !ip.is_unspecified());
    let resolver = Arc::new(Resolver::new(names, &config, own));
    let connections = TaskTracker::new();
    info!(?address, "answering DNS");
    let both = async {
        tokio::join!(
            udp::serve(&socket, &resolver),
            tcp::accept(&listener, &resolver, &config.limits, &connections, &stop)
        )
    };
    stop.run_until_cancelled(both).await;
    connections.close();
    connections.wait().await;
}
