//! What can be set.

use std::time::Duration;

use super::{Datacentre, Domain};

/// How the registry answers DNS.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Config {
    /// What all names end with: `consul` unless told otherwise.
    pub domain: Domain,
    /// The one datacentre that there is: `dc1` unless told otherwise.
    pub datacentre: Datacentre,
    /// How much of everything there may be.
    pub limits: Limits,
}

/// Bounds, so that no client can take the memory or the connections of all others.
///
/// | Limit | Default | Beyond it |
/// |---|---|---|
/// | [`payload`](Limits::payload) of an answer over UDP | 4 096 bytes | `TC`, and the rest over TCP |
/// | [`connections`](Limits::connections) | 256 | the one whose last answer is longest ago is closed |
/// | [`exchange_time`](Limits::exchange_time) | 10 s | the connection closes |
///
/// A query over UDP is worth one datagram: of 512 bytes, or as many as the query says, but no more than `payload`. All
/// of them are answered by one task, one after the other; what comes faster than that, the system drops. A query has up
/// to 4 096 bytes, and a connection one query at a time, so that what it makes the registry hold is that, and one answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// The longest answer over UDP, from 512 to 4 096 bytes. Who asks says how much reaches it, and is believed, as what
    /// listens on loopback has nobody else's network between. Where others reach the registry, 1 232 is safer: it is
    /// never sent in fragments, and a forged sender gets less sent to its victim.
    pub payload: u16,
    /// Open TCP connections.
    pub connections: usize,
    /// How long a connection may take from one answer to the next: for waiting, the query, and reading the answer.
    pub exchange_time: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { payload: 4_096, connections: 256, exchange_time: Duration::from_secs(10) }
    }
}
