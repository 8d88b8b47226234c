//! etcd's protocol, as far as replicas need it: transactions, ranges, leases and a watch.

mod client;
mod cluster;
mod wire;

pub(crate) use self::client::{Client, Failed};
pub use self::cluster::{BadEtcd, Cluster};
pub(crate) use self::wire::{
    COMPACT, Compact, Compare, Event, Found, GRANT, LeaseGrant, LeaseGranted, LeaseRevoke, Nothing, Op, Pair, Put,
    RANGE, REVOKE, Range, Remove, TXN, Txn, TxnDone, WatchCreate, Watched, prefix_end,
};
