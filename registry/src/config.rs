//! What can be set: how long leases last, and how much of everything there may be.

use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::time::Duration;

use crate::{Access, Tls, dns};
use mainstay_contracts::registry::{BEAT_EVERY, BOOKMARK_EVERY, GONE_AFTER, SILENT_AFTER, SUSPECT_FOR};

use crate::KvLimits;

/// How the registry behaves. The defaults are what its protocol documents.
#[derive(Debug, Clone)]
pub struct Config {
    /// How often instances are told to beat.
    pub beat_every: Duration,
    /// Without a beat for this long, an instance is silent.
    pub silent_after: Duration,
    /// Silent for this long, an instance is gone.
    pub gone_after: Duration,
    /// After a restart, what a lease has beyond its time, so that whoever was there can find back. 15 s by default.
    pub grace: Duration,
    /// When it is not believed that so many are gone.
    pub guard: Guard,
    /// The directory of what outlives the process. Without one, nothing does: held instances come back by themselves,
    /// and the others with their next beat.
    pub data: Option<PathBuf>,
    /// The cluster that keeps what this registry and others serve, instead of a directory.
    #[cfg(feature = "etcd")]
    pub replication: Option<crate::Replication>,
    /// Whose calls are answered; everybody's, if nothing is said.
    pub access: Option<Access>,
    /// What connections are encrypted with, if they are.
    pub tls: Option<Tls>,
    /// How names are answered, where [`Opened::with_dns`](crate::Opened::with_dns) says that they are.
    pub dns: dns::Config,
    /// How often a stream with nothing to tell speaks, so that its reader knows that the registry is there.
    pub bookmark_every: Duration,
    /// What Consul's clients are told of the one node there is.
    pub consul: Consul,
    /// How much of everything there may be.
    pub limits: Limits,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            beat_every: BEAT_EVERY,
            silent_after: SILENT_AFTER,
            gone_after: GONE_AFTER,
            grace: Duration::from_secs(15),
            guard: Guard::default(),
            data: None,
            #[cfg(feature = "etcd")]
            replication: None,
            access: None,
            tls: None,
            dns: dns::Config::default(),
            bookmark_every: BOOKMARK_EVERY,
            consul: Consul::default(),
            limits: Limits::default(),
        }
    }
}

/// Against mass loss: if more of a service than the greater of [`most`](Guard::most) and [`percent`](Guard::percent)
/// would be gone within the time of one lease, they are suspect instead, and so is the last one.
///
/// Who leaves, or whose lease connection closes, does not count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Guard {
    /// Whether there is a guard. There is by default.
    pub on: bool,
    /// So many may always be gone: 2 by default.
    pub most: usize,
    /// And such a share of the service, in hundredths: 30 by default.
    pub percent: u8,
    /// For so long an instance stays suspect: 15 min by default. Then it is gone, unless nobody else is left.
    pub suspect_for: Duration,
}

impl Default for Guard {
    fn default() -> Self {
        Self { on: true, most: 2, percent: 30, suspect_for: SUSPECT_FOR }
    }
}

/// Where Consul's clients believe to be: everything is registered with one agent, on one node of one data centre.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Consul {
    /// The name of the node: `mainstay` by default.
    pub node: String,
    /// Its address, which is also that of services that say none: 127.0.0.1 by default.
    pub address: IpAddr,
    /// The name of the data centre: `dc1` by default, as Consul's own.
    pub datacenter: String,
}

impl Default for Consul {
    fn default() -> Self {
        Self { node: "mainstay".to_owned(), address: Ipv4Addr::LOCALHOST.into(), datacenter: "dc1".to_owned() }
    }
}

/// Bounds, so that no client can take the memory or the connections of all others.
///
/// | Limit | Default | Beyond it |
/// |---|---|---|
/// | [`services`](Limits::services) | 1 000 | 503 |
/// | [`instances`](Limits::instances) of one service | 10 000 | 503 |
/// | [`watchers`](Limits::watchers) | 8 192 | 503 |
/// | [`connections`](Limits::connections) | 32 768 | the next one waits to be accepted |
/// | [`body`](Limits::body) | 64 KiB | 413 |
/// | [`head_time`](Limits::head_time) | 10 s | the connection closes |
/// | [`body_time`](Limits::body_time) | 10 s | 408 |
/// | [`kv`](Limits::kv) | see [`KvLimits`] | |
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Services that have instances.
    pub services: usize,
    /// Instances of one service.
    pub instances: usize,
    /// Watch streams, over all services.
    pub watchers: usize,
    /// Open connections. Above a full service that holds and the watchers, as each takes one.
    pub connections: usize,
    /// Bytes of one request body.
    pub body: usize,
    /// How long a request's head may take; also how long an idle connection is kept. It is twice the
    /// time between beats, so that an instance's next beat does not meet a connection just closed.
    pub head_time: Duration,
    /// How long a request's body may take.
    pub body_time: Duration,
    /// How much may be kept by key.
    pub kv: KvLimits,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            services: 1_000,
            instances: 10_000,
            watchers: 8_192,
            connections: 32_768,
            body: 64 * 1024,
            head_time: 2 * BEAT_EVERY,
            body_time: Duration::from_secs(10),
            kv: KvLimits::default(),
        }
    }
}
