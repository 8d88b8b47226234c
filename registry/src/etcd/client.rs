//! Calls to a cluster: to one of its members, and to the next when that fails.

use std::error::Error as _;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::{Stream, StreamExt, stream};
use http::uri::PathAndQuery;
use prost::Message;
use tokio::time::{sleep, timeout};
use tonic::client::Grpc;
use tonic::metadata::MetadataValue;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request, Status, Streaming};
use tonic_prost::ProstCodec;

use super::cluster::{BadEtcd, Cluster};
use super::wire::{KEEP_ALIVE, LeaseKeepAlive, LeaseKept, Nothing, WATCH, Watch, WatchCreate, Watched};
use crate::why::{whole, with_behind};

/// How long a call may take.
const WITHIN: Duration = Duration::from_secs(2);
/// How long a connection may take.
const CONNECT: Duration = Duration::from_secs(1);
/// How often a connection is tried that nothing is heard of: etcd takes more than one in 5 s for an attack.
const TRIED_EVERY: Duration = Duration::from_secs(6);
/// The longest answer: a page of keys, or what a watch has missed.
const LONGEST: usize = 64 * 1024 * 1024;

/// A cluster, as whoever asks it.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    members: Arc<[Member]>,
    /// Which of them is asked.
    at: Arc<AtomicUsize>,
}

#[derive(Debug)]
struct Member {
    address: String,
    channel: Channel,
}

/// Why a member did not do what it was asked.
#[derive(Debug)]
pub(crate) struct Failed {
    member: String,
    why: String,
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "etcd at {}: {}", self.member, self.why)
    }
}

impl Client {
    /// Connects to nobody yet.
    pub(crate) fn new(cluster: &Cluster) -> Result<Self, BadEtcd> {
        cluster.check()?;
        let members = cluster.members().map(|address| {
            let bad = |error: tonic::transport::Error| BadEtcd(format!("{address}: {}", whole(&error)));
            let mut endpoint = Endpoint::from_shared(address.clone()).map_err(bad)?;
            if let Some(tls) = cluster.tls() {
                endpoint = endpoint.tls_config(tls.clone()).map_err(bad)?;
            }
            let endpoint = endpoint.tcp_nodelay(true).connect_timeout(CONNECT).keep_alive_timeout(CONNECT);
            let endpoint = endpoint.http2_keep_alive_interval(TRIED_EVERY).keep_alive_while_idle(true);
            Ok(Member { channel: endpoint.connect_lazy(), address })
        });
        Ok(Self { members: members.collect::<Result<_, _>>()?, at: Arc::default() })
    }

    /// Asks one member; whatever goes wrong, the next call asks the next one.
    ///
    /// Cancelled, or failed, it may have been done all the same.
    pub(crate) async fn call<Q, A>(&self, path: &'static str, asked: Q) -> Result<A, Failed>
    where
        Q: Message + 'static,
        A: Message + Default + 'static,
    {
        let at = self.at.load(Ordering::Relaxed);
        let answer = async {
            let mut grpc = self.grpc(at).await?;
            let path = PathAndQuery::from_static(path);
            grpc.unary(Request::new(asked), path, ProstCodec::<Q, A>::default()).await
        };
        match timeout(WITHIN, answer).await {
            Ok(Ok(answer)) => Ok(answer.into_inner()),
            Ok(Err(status)) => Err(self.failed(at, &status)),
            Err(_) => Err(self.failed(at, &silent())),
        }
    }

    /// Has a lease last again, and says for how many seconds: 0, if there is none.
    pub(crate) async fn keep_alive(&self, id: i64) -> Result<i64, Failed> {
        let at = self.at.load(Ordering::Relaxed);
        let answer = async {
            let asked = stream::iter([LeaseKeepAlive { id }]);
            let mut answers: Streaming<LeaseKept> = self.stream(at, KEEP_ALIVE, asked).await?;
            answers.message().await?.ok_or_else(|| Status::unavailable("it says nothing"))
        };
        match timeout(WITHIN, answer).await {
            Ok(Ok(kept)) => Ok(kept.seconds),
            Ok(Err(status)) => Err(self.failed(at, &status)),
            Err(_) => Err(self.failed(at, &silent())),
        }
    }

    /// Follows what happens, for as long as nothing goes wrong. Again and again it is told how far that is.
    pub(crate) async fn watch(
        &self,
        create: WatchCreate,
        told_every: Duration,
    ) -> Result<impl Stream<Item = Result<Watched, Failed>> + Unpin + use<>, Failed> {
        let at = self.at.load(Ordering::Relaxed);
        let progress = stream::unfold((), move |()| async move {
            sleep(told_every).await;
            Some((Watch { progress: Some(Nothing {}), create: None }, ()))
        });
        let asked = stream::iter([Watch { create: Some(create), progress: None }]).chain(progress);
        let answers = match timeout(WITHIN, self.stream::<_, Watched>(at, WATCH, asked)).await {
            Ok(answers) => answers.map_err(|status| self.failed(at, &status))?,
            Err(_) => return Err(self.failed(at, &silent())),
        };
        let client = self.clone();
        Ok(answers.map(move |answer| answer.map_err(|status| client.failed(at, &status))))
    }

    /// A watch has ended, for that reason, if one was said.
    pub(crate) fn ended(&self, why: &str) -> Failed {
        let at = self.at.load(Ordering::Relaxed);
        self.failed(at, &Status::unavailable(format!("the watch has ended: {why}")))
    }

    async fn stream<Q, A>(
        &self,
        at: usize,
        path: &'static str,
        asked: impl Stream<Item = Q> + Send + 'static,
    ) -> Result<Streaming<A>, Status>
    where
        Q: Message + 'static,
        A: Message + Default + 'static,
    {
        let mut request = Request::new(asked);
        // A member that has lost the others ends the stream, instead of knowing nothing new for ever.
        request.metadata_mut().insert("hasleader", MetadataValue::from_static("true"));
        let path = PathAndQuery::from_static(path);
        let answer = self.grpc(at).await?.streaming(request, path, ProstCodec::<Q, A>::default()).await?;
        Ok(answer.into_inner())
    }

    async fn grpc(&self, at: usize) -> Result<Grpc<Channel>, Status> {
        let channel = self.members[at % self.members.len()].channel.clone();
        let mut grpc = Grpc::new(channel).max_decoding_message_size(LONGEST);
        grpc.ready().await.map_err(|error| Status::unavailable(whole(&error)))?;
        Ok(grpc)
    }

    fn failed(&self, at: usize, status: &Status) -> Failed {
        // That there is no such lease, or revision, the others would say too.
        if !matches!(status.code(), Code::NotFound | Code::OutOfRange) {
            // Unless somebody else has turned to the next one already.
            let _ = self.at.compare_exchange(at, at + 1, Ordering::Relaxed, Ordering::Relaxed);
        }
        let member = self.members[at % self.members.len()].address.clone();
        Failed { member, why: with_behind(status.message().to_owned(), status.source()) }
    }
}

fn silent() -> Status {
    Status::deadline_exceeded(format!("no answer within {WITHIN:?}"))
}
