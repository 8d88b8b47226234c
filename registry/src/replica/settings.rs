//! What a replica has to be told.

use std::time::Duration;

use mainstay_contracts::Address;

use crate::etcd::Cluster;
use crate::tls::Client;

/// How a registry is one of several.
#[derive(Debug, Clone)]
pub struct Replication {
    /// Where everything is kept.
    pub cluster: Cluster,
    /// Where the other replicas reach this one.
    pub address: Address,
    /// How the others are reached, where their addresses are `https`.
    pub tls: Option<Client>,
    /// For so long nobody else writes after the one who did is not heard of any more: 5 s by default, 2 s at least, in
    /// whole seconds.
    pub lease: Duration,
}

impl Replication {
    /// A replica over a cluster, reached by the others at an address.
    pub fn new(cluster: Cluster, address: Address) -> Self {
        Self { cluster, address, tls: None, lease: Duration::from_secs(5) }
    }
}
