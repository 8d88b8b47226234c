//! Leases whose connections stand.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use mainstay::contracts::registry::{BeatLease, HOLD_LEASE, HoldLease, LeaseId, Register};
use mainstay::contracts::wire::Encoded;
use tokio::task::JoinSet;

use crate::Failed;
use crate::registry::beating::{self, Beating};
use crate::registry::lines::{Head, Lines};

/// How many are opened at once.
const AT_ONCE: usize = 64;

/// Leases, and who reads their streams: what is not read would fill the connections.
#[derive(Debug)]
pub(super) struct Held {
    address: SocketAddr,
    leases: Vec<LeaseId>,
    _readers: JoinSet<()>,
}

impl Held {
    pub(super) async fn open(address: SocketAddr, count: u32) -> Result<Self, Failed> {
        let opened = stream::iter(0..count).map(|number| open(address, number)).buffer_unordered(AT_ONCE);
        let (leases, lines): (Vec<_>, Vec<_>) = opened.try_collect::<Vec<_>>().await?.into_iter().unzip();
        let mut readers = JoinSet::new();
        for mut lines in lines {
            readers.spawn(async move { while let Ok(Some(_)) = lines.next().await {} });
        }
        Ok(Self { address, leases, _readers: readers })
    }

    /// Gives each lease so many instances.
    pub(super) fn share(&self, instances: &mut [Register], each: usize) {
        for (instances, lease) in instances.chunks_mut(each).zip(&self.leases) {
            instances.iter_mut().for_each(|instance| instance.lease = Some(lease.clone()));
        }
    }

    pub(super) async fn beat(&self, every: Duration, next: &Arc<AtomicUsize>) -> Result<Beating, Failed> {
        let beats: Arc<[_]> = self.leases.iter().map(|lease| BeatLease { lease: lease.clone() }).collect();
        beating::start(self.address, beats, every, next).await
    }
}

async fn open(address: SocketAddr, number: u32) -> Result<(LeaseId, Lines), Failed> {
    let lease: LeaseId = format!("lease-{number}").parse()?;
    let body = serde_json::to_vec(&HoldLease { lease: lease.clone() })?;
    let asked = Encoded { target: HOLD_LEASE.replace("{lease}", lease.as_str()), body: Some(body) };
    let mut lines = Lines::open(address, "POST", &asked).await?;
    let kind = Head::of(lines.next().await?.ok_or("a lease's stream ended")?)?.kind.to_owned();
    if kind == "lease" { Ok((lease, lines)) } else { Err(format!("a lease's stream begins with {kind}").into()) }
}
