//! Who writes, as everybody in this process sees it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use mainstay_contracts::Address;
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;
use tracing::warn;

use super::inner::Told;
use super::keys::Keys;
use super::link::Link;
use super::read::{self, Incumbent};
use crate::etcd::Client;

/// Those who serve one list.
#[derive(Debug)]
pub(crate) struct Replicas {
    pub(super) client: Client,
    pub(super) keys: Keys,
    pub(super) address: Address,
    pub(super) link: Link,
    lease: Duration,
    now: Mutex<Now>,
    /// Does a connection that closes say that its client has gone?
    sure: AtomicBool,
    stop: CancellationToken,
}

#[derive(Debug)]
struct Now {
    writer: Option<Incumbent>,
    /// The lease of this replica, and until when it lasts at least.
    own: Option<(i64, Instant)>,
    writes: bool,
    /// When etcd was heard of last.
    heard: Instant,
    /// Cancelled when that was too long ago for streams that promise to tell everything.
    fresh: CancellationToken,
    /// Cancelled when another one writes, or nobody: what was asked of the writer is not answered any more.
    turn: CancellationToken,
}

/// Who changes things.
#[derive(Debug, Clone)]
pub(crate) enum Writes {
    Here,
    /// Another one, until this is cancelled.
    There(Address, CancellationToken),
    Nobody(String),
}

impl Replicas {
    pub(super) fn new(
        (client, keys): (Client, Keys),
        (address, link): (Address, Link),
        lease: Duration,
        stop: CancellationToken,
    ) -> Self {
        let (fresh, turn) = (stop.child_token(), stop.child_token());
        let now = Now { writer: None, own: None, writes: false, heard: Instant::now(), fresh, turn };
        Self { client, keys, address, link, lease, now: Mutex::new(now), sure: AtomicBool::new(true), stop }
    }

    pub(crate) fn address(&self) -> &Address {
        &self.address
    }

    pub(crate) fn writes(&self) -> Writes {
        let now = self.now.lock();
        let own = now.own.filter(|(_, until)| Instant::now() < *until).map(|(lease, _)| lease);
        match &now.writer {
            Some(writer) if own == Some(writer.lease) && now.writes => Writes::Here,
            Some(writer) if Some(writer.lease) != now.own.map(|(lease, _)| lease) && writer.address != self.address => {
                Writes::There(writer.address.clone(), now.turn.clone())
            }
            Some(_) | None => Writes::Nobody(format!(
                "no replica writes at present, as far as {} knows; another one does within {:?}, if etcd answers",
                self.address, self.lease
            )),
        }
    }

    /// Adds to how this replica is, who writes, and how long ago it has heard of etcd.
    pub(crate) fn add_to(&self, mut health: Value) -> Value {
        let writer = match self.writes() {
            Writes::Here => Some(self.address.clone()),
            Writes::There(writer, _) => Some(writer),
            Writes::Nobody(_) => None,
        };
        health["replica"] = json!(self.address);
        health["writer"] = json!(writer);
        health["heard_of_etcd_ms"] = json!(self.now.lock().heard.elapsed().as_millis());
        health
    }

    /// For how long nothing has been heard of etcd, if that is too long to promise anything.
    pub(crate) fn cut_off(&self) -> Option<Duration> {
        let silence = self.now.lock().heard.elapsed();
        (silence > self.patience()).then_some(silence)
    }

    fn patience(&self) -> Duration {
        2 * self.lease
    }

    /// Cancelled when watches end: when the registry stops, or cannot tell any more what is new.
    pub(crate) fn fresh(&self) -> CancellationToken {
        self.now.lock().fresh.clone()
    }

    /// Its lease lasts; which is news of etcd where this one writes. Whoever follows hears by the watch.
    pub(super) fn kept(&self, lease: i64, until: Instant) {
        self.hold(Some((lease, until)));
        if self.now.lock().writes {
            self.heard();
        }
    }

    pub(super) fn heard(&self) {
        let mut now = self.now.lock();
        now.heard = Instant::now();
        if now.fresh.is_cancelled() && !self.stop.is_cancelled() {
            now.fresh = self.stop.child_token();
        }
    }

    /// Ends watches once nothing has been heard of etcd for too long. Does not end by itself.
    pub(super) async fn guard_streams(&self) {
        loop {
            tokio::time::sleep(self.patience() / 8).await;
            if let Some(silence) = self.cut_off() {
                let fresh = self.fresh();
                if !fresh.is_cancelled() {
                    warn!("etcd has not been heard of for {silence:?}: nobody can be told what is new");
                    fresh.cancel();
                }
            }
        }
    }

    /// Has this replica's lease last until then, or not any more.
    pub(super) fn hold(&self, own: Option<(i64, Instant)>) {
        self.now.lock().own = own;
    }

    pub(super) fn set_writer(&self, writer: Option<Incumbent>) {
        let mut now = self.now.lock();
        if now.writer != writer {
            now.writer = writer;
            std::mem::replace(&mut now.turn, self.stop.child_token()).cancel();
        }
    }

    pub(crate) fn writes_here(&self) -> bool {
        matches!(self.writes(), Writes::Here)
    }

    /// How often etcd is to be heard of.
    pub(super) fn beat(&self) -> Duration {
        self.lease / 3
    }

    /// Has etcd been silent for so long that another member should be asked?
    pub(super) fn is_silent(&self) -> bool {
        self.now.lock().heard.elapsed() > self.lease
    }

    /// Whether this one has begun to write, if it is the one.
    pub(super) fn set_writing(&self, writes: bool) {
        self.now.lock().writes = writes;
    }

    pub(super) fn set_sure(&self, sure: bool) {
        self.sure.store(sure, Ordering::Relaxed);
    }

    pub(super) fn is_sure(&self) -> bool {
        self.sure.load(Ordering::Relaxed)
    }

    /// Has the others wait until those who watch a service there have been told up to a revision; says how many have been
    /// told, and how many not. One that does not
    /// answer in time counts as one who has not.
    pub(crate) async fn told(&self, service: &str, revision: u64, within: Duration) -> (usize, usize) {
        let fellows = match read::fellows(&self.client, &self.keys).await {
            Ok(fellows) => fellows,
            Err(failed) => {
                warn!("who else has watchers is not known: {failed}");
                return (0, 1);
            }
        };
        let asked = fellows.into_iter().map(|(_, fellow)| fellow.address).filter(|address| *address != self.address);
        let asked = asked.map(|address| async move {
            let target = Told::target(service, revision, within);
            let answer = timeout(within + Duration::from_secs(1), self.link.ask::<Told>(&address, &target)).await;
            match answer {
                Ok(Ok(told)) => (told.told, told.untold),
                Ok(Err(why)) => {
                    warn!("{address} does not say whether its watchers have been told: {why}");
                    (0, 1)
                }
                Err(_) => (0, 1),
            }
        });
        let counts = futures_util::future::join_all(asked).await;
        counts.into_iter().fold((0, 0), |(told, untold), (more, less)| (told + more, untold + less))
    }
}
