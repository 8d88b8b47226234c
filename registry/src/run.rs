//! The registry as a function of its listener and its shutdown.

use std::future::pending;
use std::io;
use std::pin::pin;
use std::sync::Arc;

use tokio::net::{TcpListener, UdpSocket};
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;
use tracing::info;

use crate::directory::Directory;
#[cfg(feature = "etcd")]
use crate::replica::Replica;
use crate::writer::Writer;
use crate::{Access, Config, Limits, Tls, dns, http, serve};

/// Serves the registry on `listener` until `shutdown` completes; then ends its streams and returns within a
/// second, whatever its clients do.
///
/// # Errors
/// When the listener is not one that listens, or what is kept cannot be read or written at all.
pub async fn run(config: Config, listener: TcpListener, shutdown: impl Future<Output = ()>) -> io::Result<()> {
    Opened::new(config).await?.run(listener, shutdown).await
}

/// What changes anything.
#[derive(Debug)]
enum Engine {
    Alone(Box<Writer>),
    #[cfg(feature = "etcd")]
    Replica(Box<Replica>),
}

impl Engine {
    async fn open(config: Config, stop: CancellationToken) -> io::Result<(Arc<Directory>, Self)> {
        #[cfg(feature = "etcd")]
        if let Some(replication) = config.replication.clone() {
            let (directory, replica) = Replica::open(config, replication, stop).await?;
            return Ok((directory, Self::Replica(Box::new(replica))));
        }
        let (directory, writer) = Directory::open(config, stop).await?;
        Ok((directory, Self::Alone(Box::new(writer))))
    }

    /// Works for as long as it is polled, or until it cannot any more.
    async fn run(&mut self) -> io::Result<()> {
        match self {
            Self::Alone(writer) => Err(io::Error::other(writer.run().await)),
            #[cfg(feature = "etcd")]
            Self::Replica(replica) => replica.run().await,
        }
    }

    async fn close(self) {
        match self {
            Self::Alone(writer) => writer.close().await,
            #[cfg(feature = "etcd")]
            Self::Replica(replica) => replica.close().await,
        }
    }
}

/// A registry that remembers what was kept, and is yet to be served.
#[derive(Debug)]
pub struct Opened {
    directory: Arc<Directory>,
    engine: Engine,
    limits: Limits,
    tls: Option<Tls>,
    dns: dns::Config,
    names: Option<(UdpSocket, TcpListener)>,
    stop: CancellationToken,
    /// Whoever drops this instead of shutting down ends the connections too.
    _stopped: DropGuard,
}

impl Opened {
    /// Reads what was kept, if anything is.
    ///
    /// # Errors
    /// When it cannot be read or written at all, or another registry has it.
    pub async fn new(config: Config) -> io::Result<Self> {
        let (limits, tls, stop) = (config.limits.clone(), config.tls.clone(), CancellationToken::new());
        let dns = config.dns.clone();
        let (directory, engine) = Engine::open(config, stop.clone()).await?;
        Ok(Self { directory, engine, limits, tls, dns, names: None, _stopped: stop.clone().drop_guard(), stop })
    }

    /// Answers DNS as well, on two sockets that should have the same address.
    #[must_use]
    pub fn with_dns(mut self, socket: UdpSocket, listener: TcpListener) -> Self {
        self.names = Some((socket, listener));
        self
    }

    /// As [`run`].
    ///
    /// # Errors
    /// When the listener is not one that listens, or what keeps everything begins another life.
    pub async fn run(self, listener: TcpListener, shutdown: impl Future<Output = ()>) -> io::Result<()> {
        let address = listener.local_addr()?;
        let Self { directory, mut engine, limits, tls, dns, names, stop, _stopped } = self;
        let access = directory.config().access.clone();
        let naming = naming(names, Arc::clone(&directory), dns, stop.clone());
        let router = http::router(directory);
        let connections = TaskTracker::new();
        info!(%address, "listening");
        let ended = {
            let (mut working, mut naming) = (pin!(engine.run()), pin!(naming));
            let ended = tokio::select! {
                () = shutdown => Ok(()),
                ended = &mut working => ended,
                () = follow(access) => Ok(()),
                () = &mut naming => Ok(()),
                () = serve::accept(&listener, router, &limits, tls.as_ref(), &connections, &stop) => Ok(()),
            };
            stop.cancel();
            connections.close();
            if ended.is_ok() {
                // What has begun is still kept.
                tokio::select! {
                    () = connections.wait() => {}
                    _ = &mut working => {}
                }
            }
            ended
        };
        engine.close().await;
        info!(%address, "stopped");
        ended
    }
}

async fn follow(access: Option<Access>) {
    match access {
        Some(access) => access.follow().await,
        None => pending().await,
    }
}

/// Answers DNS, if there are sockets for it. Never ends without.
async fn naming(
    sockets: Option<(UdpSocket, TcpListener)>,
    directory: Arc<Directory>,
    config: dns::Config,
    stop: CancellationToken,
) {
    match sockets {
        Some((socket, listener)) => dns::serve(socket, listener, directory, config, stop).await,
        None => pending().await,
    }
}
