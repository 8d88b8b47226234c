//! Queries that come over connections, one after the other.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, Semaphore};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{debug, warn};

use super::udp::LONGEST;
use super::{Limits, Resolver, Transport};

/// How long to wait after a connection could not be accepted: mostly for lack of file descriptors.
const BACK_OFF: Duration = Duration::from_millis(100);

/// Serves connections for as long as it is polled. Each runs by itself, until `stop` is cancelled or it ends.
pub(super) async fn accept(
    listener: &TcpListener,
    resolver: &Arc<Resolver>,
    limits: &Limits,
    connections: &TaskTracker,
    stop: &CancellationToken,
) {
    let slots = Arc::new(Semaphore::new(limits.connections));
    // Whoever waits longest is woken first: the connection whose last answer is longest ago.
    let crowded = Arc::new(Notify::new());
    loop {
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                warn!(%error, "no connection accepted");
                sleep(BACK_OFF).await;
                continue;
            }
        };
        if slots.available_permits() == 0 {
            crowded.notify_one();
        }
        // Nobody closes the semaphore.
        let Ok(slot) = Arc::clone(&slots).acquire_owned().await else { return };
        let (resolver, crowded, stop) = (Arc::clone(resolver), Arc::clone(&crowded), stop.clone());
        let exchange_time = limits.exchange_time;
        connections.spawn(async move {
            let served = stop.run_until_cancelled(connection(stream, &resolver, exchange_time, &crowded)).await;
            if let Some(Err(error)) = served {
                debug!(%error, "a connection broke off");
            }
            drop(slot);
        });
    }
}

async fn connection(
    stream: TcpStream,
    resolver: &Resolver,
    exchange_time: Duration,
    crowded: &Notify,
) -> io::Result<()> {
    // An answer is one write, and wanted at once.
    let _ = stream.set_nodelay(true);
    let mut stream = BufReader::with_capacity(LONGEST, stream);
    loop {
        tokio::select! {
            exchanged = timeout(exchange_time, exchange(&mut stream, resolver)) => exchanged??,
            () = crowded.notified() => return Ok(()),
        }
    }
}

/// One query and its answer. What is no query ends the connection: where the next one begins, nobody could know.
async fn exchange(stream: &mut BufReader<TcpStream>, resolver: &Resolver) -> io::Result<()> {
    let length = usize::from(stream.read_u16().await?);
    if length > LONGEST {
        return Err(io::Error::other("a query is too long"));
    }
    let mut message = vec![0; length];
    stream.read_exact(&mut message).await?;
    let answer = resolver.answer(&message, Transport::Tcp).ok_or_else(|| io::Error::other("no query"))?;
    let length = u16::try_from(answer.len()).map_err(io::Error::other)?;
    stream.write_all(&[&length.to_be_bytes(), answer.as_slice()].concat()).await
}
