//! etcd, as it comes: one member, every write on the disk before its answer.
//!
//! Its protocol is a dozen small messages, which are written down here: generating them takes `protoc`, which nobody
//! should need for this.

mod client;
mod wire;

use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use http::uri::PathAndQuery;
use prost::Message;
use tempfile::TempDir;
use tokio::time::{Instant, sleep};
use tonic::client::Grpc;
use tonic::transport::{Channel, Endpoint};
use tonic::{IntoStreamingRequest, Request, Streaming};
use tonic_prost::ProstCodec;

use crate::Failed;
use crate::child::{Child, find, free_port};

/// How long it may take to answer for the first time.
const PATIENCE: Duration = Duration::from_secs(20);

/// An etcd that runs. What it keeps goes with it.
#[derive(Debug)]
pub(crate) struct Etcd {
    client: Client,
    leases: Arc<[i64]>,
    next: Arc<AtomicUsize>,
    child: Child,
    _directory: TempDir,
}

/// One connection, which everybody shares.
#[derive(Debug, Clone)]
struct Client(Grpc<Channel>);

impl Client {
    async fn call<Q, A>(&mut self, path: &'static str, asked: Q) -> Result<A, Failed>
    where
        Q: Message + 'static,
        A: Message + Default + 'static,
    {
        self.0.ready().await?;
        let path = PathAndQuery::from_static(path);
        Ok(self.0.unary(Request::new(asked), path, ProstCodec::<Q, A>::default()).await?.into_inner())
    }

    async fn stream<Q, A>(
        &mut self,
        path: &'static str,
        asked: impl IntoStreamingRequest<Stream: Send + 'static, Message = Q>,
    ) -> Result<Streaming<A>, Failed>
    where
        Q: Message + 'static,
        A: Message + Default + 'static,
    {
        self.0.ready().await?;
        let path = PathAndQuery::from_static(path);
        let asked = asked.into_streaming_request();
        Ok(self.0.streaming(asked, path, ProstCodec::<Q, A>::default()).await?.into_inner())
    }
}

impl Etcd {
    pub(crate) async fn start(program: &Path) -> Result<Self, Failed> {
        let name = program.to_string_lossy();
        let program =
            find(&name).ok_or_else(|| format!("{name} is not there (Debian: apt-get install etcd-server)"))?;
        let directory = tempfile::Builder::new().prefix("mainstay-bench-").tempdir()?;
        let (clients, peers) = (free_port()?, free_port()?);
        let (clients, peers) = (format!("http://127.0.0.1:{clients}"), format!("http://127.0.0.1:{peers}"));
        let arguments = [
            format!("--data-dir={}", directory.path().display()),
            format!("--listen-client-urls={clients}"),
            format!("--advertise-client-urls={clients}"),
            format!("--listen-peer-urls={peers}"),
            format!("--initial-advertise-peer-urls={peers}"),
            format!("--initial-cluster=default={peers}"),
        ];
        let child = Child::start(program, arguments, Stdio::null(), Stdio::null())?;
        let channel = Endpoint::from_shared(clients)?.tcp_nodelay(true).connect_lazy();
        let mut client = Client(Grpc::new(channel));
        let end = Instant::now() + PATIENCE;
        // What it knows nothing of it says so of, once it has a leader.
        while let Err(error) = client.call::<_, wire::Nothing>(wire::LEASES, wire::LeaseListing {}).await {
            if Instant::now() > end {
                return Err(format!("etcd does not answer: {error}").into());
            }
            sleep(Duration::from_millis(50)).await;
        }
        Ok(Self { client, leases: Arc::from([]), next: Arc::default(), child, _directory: directory })
    }

    pub(crate) async fn stop(self) -> Result<(), Failed> {
        self.child.stop().await
    }
}
