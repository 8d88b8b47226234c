//! Leases whose connections stand.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use mainstay::contracts::registry::{BeatLease, HOLD_LEASE, HoldLease, LeaseId, Register};
use mainstay::contracts::wire::Encoded;
use tokio::task::JoinSet;

use crate::Failed;
use crate::registry::beating::{self, Beating};
use crate::registry::files;
use crate::registry::lines::{Head, Lines};

/// Leases, and who reads their streams: what is not read would fill the connections.
#[derive(Debug)]
pub(super) struct Held {
    address: SocketAddr,
    leases: Vec<LeaseId>,
    _readers: JoinSet<()>,
}

impl Held {
    pub(super) async fn open(address: SocketAddr, count: u32) -> Result<Self, Failed> {
        files::allow(count)?;
        let (mut leases, mut readers) = (Vec::new(), JoinSet::new());
        for number in 0..count {
            let lease: LeaseId = format!("lease-{number}").parse()?;
            let body = serde_json::to_vec(&HoldLease { lease: lease.clone() })?;
            let asked = Encoded { target: HOLD_LEASE.replace("{lease}", lease.as_str()), body: Some(body) };
            let mut lines = Lines::open(address, "POST", &asked).await?;
            let first = lines.next().await?.ok_or("a lease's stream ended")?;
            let kind = Head::of(first)?.kind;
            if kind != "lease" {
                return Err(format!("a lease's stream begins with {kind}").into());
            }
            leases.push(lease);
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
