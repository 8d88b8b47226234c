//! The connection to NATS: whether it stands, and one request over it.
//!
//! The client connects again by itself, but says nothing to those whose request was under way: what was sent may have
//! been done or not, and its answer never comes. So whatever is asked here ends when the connection does, and whoever
//! asked tries again. Everything that is asked may be.

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_nats::client::RequestErrorKind;
use async_nats::jetstream::{self, response::Response};
use async_nats::{Client, ConnectOptions, Event, Message, Request, ServerAddr};
use futures_util::StreamExt as _;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::watch;
use tokio::time::timeout;
use tracing::{debug, info, warn};

use super::version;
use crate::Error;

/// How long to wait for a connection before whoever needs it is told.
const CONNECTED: Duration = Duration::from_secs(1);
/// How long an answer may take: a server that is stopped keeps its connections.
const ANSWERED: Duration = Duration::from_secs(4);
/// How often the server is asked for a sign of life; after two without one, the connection counts as lost.
const PING: Duration = Duration::from_secs(5);
/// The longest time between two attempts to connect.
const AGAIN: Duration = Duration::from_millis(500);

pub(super) struct Link {
    client: Client,
    standing: watch::Receiver<Standing>,
    looked: AtomicBool,
}

/// Is there a connection, and how many were lost before it?
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Standing {
    up: bool,
    lost: u64,
}

impl Link {
    /// Begins to connect, and goes on for as long as this lives.
    pub(super) async fn open(url: &str) -> Result<Self, Error> {
        let servers: Result<Vec<ServerAddr>, _> = url.split(',').map(str::parse).collect();
        let servers = servers.map_err(|error| Error::bad("this is no address of a NATS server").because(error))?;
        let (tell, standing) = watch::channel(Standing::default());
        let tell = Arc::new(tell);
        let options = ConnectOptions::new()
            .name("mainstay")
            .retry_on_initial_connect()
            .ping_interval(PING)
            .reconnect_delay_callback(|attempts| AGAIN.min(Duration::from_millis(1 << attempts.min(16))))
            .event_callback(move |event| {
                let tell = Arc::clone(&tell);
                async move { note(&tell, &event) }
            });
        let client = options.connect(servers).await;
        let client = client.map_err(|error| Error::unavailable("NATS cannot be reached").because(error))?;
        Ok(Self { client, standing, looked: AtomicBool::new(false) })
    }

    pub(super) fn client(&self) -> &Client {
        &self.client
    }

    /// Does something that needs the connection, until it is done or the connection lost.
    pub(super) async fn during<T>(&self, doing: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
        let mut standing = self.standing.clone();
        let now = match timeout(CONNECTED, standing.wait_for(|standing| standing.up)).await {
            Ok(Ok(now)) => *now,
            _ => return Err(Error::unavailable("there is no connection to NATS")),
        };
        self.look();
        tokio::select! {
            biased;
            done = doing => done,
            _ = standing.wait_for(|standing| *standing != now) => Err(Error::unavailable("the connection to NATS was lost")),
        }
    }

    /// Asks whoever listens to a subject. None if nobody does.
    pub(super) async fn ask(&self, subject: String, request: Request) -> Result<Option<Message>, Error> {
        let error = match self.client.send_request(subject, request.timeout(Some(ANSWERED))).await {
            Ok(answer) => return Ok(Some(answer)),
            Err(error) => error,
        };
        match error.kind() {
            RequestErrorKind::NoResponders => Ok(None),
            RequestErrorKind::MaxPayloadExceeded => {
                let most = self.client.server_info().max_payload;
                Err(Error::bad(format!("NATS takes at most {most} bytes at once (its setting max_payload)")))
            }
            RequestErrorKind::InvalidSubject => Err(Error::bad("NATS takes no such name").because(error)),
            _ => Err(Error::unavailable("NATS has not answered").because(error)),
        }
    }

    /// Asks JetStream, which answers or says why not.
    pub(super) async fn api<T: DeserializeOwned>(
        &self,
        what: String,
        request: &impl Serialize,
    ) -> Result<Result<T, jetstream::Error>, Error> {
        let payload = serde_json::to_vec(request).map_err(Error::bad)?;
        let answer = self.ask(format!("$JS.API.{what}"), Request::new().payload(payload.into())).await?;
        let answer = answer.ok_or_else(|| Error::unavailable("JetStream is off, or not up yet"))?;
        match serde_json::from_slice(&answer.payload) {
            Ok(Response::Ok(answer)) => Ok(Ok(answer)),
            Ok(Response::Err { error }) => Ok(Err(error)),
            Err(error) => Err(Error::unavailable("JetStream's answer cannot be read").because(error)),
        }
    }

    /// Waits until the server has seen everything that was sent before: a word to ourselves comes back after it.
    pub(super) async fn seen(&self) -> Result<(), Error> {
        let lost = || Error::unavailable("NATS has not answered");
        let inbox = self.client.new_inbox();
        let mut words = self.client.subscribe(inbox.clone()).await.map_err(|error| lost().because(error))?;
        self.client.publish(inbox, "".into()).await.map_err(|error| lost().because(error))?;
        timeout(ANSWERED, words.next()).await.ok().flatten().map(drop).ok_or_else(lost)
    }

    /// Says once what the server cannot promise.
    fn look(&self) {
        let Some(info) = self.client.try_server_info() else { return };
        if !self.looked.swap(true, Ordering::Relaxed) && !version::syncs_always(&info.version) {
            warn!(
                target: "mainstay::messaging",
                "NATS {} has no `sync_interval: always`: what it acknowledges outlives its process, and may not outlive \
                 a loss of power; 2.10 has it",
                info.version
            );
        }
    }
}

fn note(tell: &watch::Sender<Standing>, event: &Event) {
    match event {
        Event::Connected => tell.send_modify(|standing| standing.up = true),
        Event::Disconnected | Event::Closed => {
            info!(target: "mainstay::messaging", "the connection to NATS was lost");
            tell.send_modify(|standing| *standing = Standing { up: false, lost: standing.lost + 1 });
        }
        // One for each attempt to connect again.
        Event::ClientError(error) => debug!(target: "mainstay::messaging", "NATS cannot be reached: {error}"),
        other => warn!(target: "mainstay::messaging", "NATS says: {other}"),
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let standing = *self.standing.borrow();
        f.debug_struct("Link").field("up", &standing.up).field("lost", &standing.lost).finish_non_exhaustive()
    }
}
