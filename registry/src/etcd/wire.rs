//! The messages of etcd's protocol that are used here, with the numbers of its `rpc.proto`. Fields that nobody asks
//! for are left out, as protobuf allows.

use prost::{Enumeration, Message, Oneof};

pub(crate) const RANGE: &str = "/etcdserverpb.KV/Range";
pub(crate) const TXN: &str = "/etcdserverpb.KV/Txn";
pub(crate) const COMPACT: &str = "/etcdserverpb.KV/Compact";
pub(crate) const GRANT: &str = "/etcdserverpb.Lease/LeaseGrant";
pub(crate) const REVOKE: &str = "/etcdserverpb.Lease/LeaseRevoke";
pub(crate) const KEEP_ALIVE: &str = "/etcdserverpb.Lease/LeaseKeepAlive";
pub(crate) const WATCH: &str = "/etcdserverpb.Watch/Watch";

/// The end of the range of all keys that begin with `prefix`, which does not end with the highest byte.
pub(crate) fn prefix_end(prefix: &str) -> Vec<u8> {
    let mut end = prefix.as_bytes().to_vec();
    if let Some(last) = end.last_mut() {
        *last += 1;
    }
    end
}

/// An answer of which only that it came matters.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Nothing {}

/// What etcd says with every answer.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Header {
    /// etcd's own revision, which counts every transaction.
    #[prost(int64, tag = "3")]
    pub(crate) revision: i64,
}

/// All keys from `key` on, up to `end`; at `revision`, if that is not 0.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Range {
    #[prost(bytes = "vec", tag = "1")]
    pub(crate) key: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    pub(crate) end: Vec<u8>,
    #[prost(int64, tag = "3")]
    pub(crate) limit: i64,
    #[prost(int64, tag = "4")]
    pub(crate) revision: i64,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Found {
    #[prost(message, optional, tag = "1")]
    pub(crate) header: Option<Header>,
    #[prost(message, repeated, tag = "2")]
    pub(crate) pairs: Vec<Pair>,
    #[prost(bool, tag = "3")]
    pub(crate) more: bool,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Pair {
    #[prost(bytes = "vec", tag = "1")]
    pub(crate) key: Vec<u8>,
    #[prost(int64, tag = "2")]
    pub(crate) created: i64,
    #[prost(int64, tag = "3")]
    pub(crate) changed: i64,
    #[prost(bytes = "vec", tag = "5")]
    pub(crate) value: Vec<u8>,
    #[prost(int64, tag = "6")]
    pub(crate) lease: i64,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Put {
    #[prost(bytes = "vec", tag = "1")]
    pub(crate) key: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    pub(crate) value: Vec<u8>,
    #[prost(int64, tag = "3")]
    pub(crate) lease: i64,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Remove {
    #[prost(bytes = "vec", tag = "1")]
    pub(crate) key: Vec<u8>,
}

/// Does all of `then` if all of `when` is so, and otherwise nothing.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Txn {
    #[prost(message, repeated, tag = "1")]
    pub(crate) when: Vec<Compare>,
    #[prost(message, repeated, tag = "2")]
    pub(crate) then: Vec<Step>,
}

impl Txn {
    pub(crate) fn new(when: impl Into<Vec<Compare>>, then: impl IntoIterator<Item = Op>) -> Self {
        let then = then.into_iter().map(|op| Step { op: Some(op) }).collect();
        Self { when: when.into(), then }
    }
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct TxnDone {
    #[prost(message, optional, tag = "1")]
    pub(crate) header: Option<Header>,
    #[prost(bool, tag = "2")]
    pub(crate) succeeded: bool,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Step {
    #[prost(oneof = "Op", tags = "2, 3")]
    pub(crate) op: Option<Op>,
}

#[derive(Clone, PartialEq, Oneof)]
pub(crate) enum Op {
    #[prost(message, tag = "2")]
    Put(Put),
    #[prost(message, tag = "3")]
    Remove(Remove),
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Compare {
    #[prost(enumeration = "Target", tag = "2")]
    target: i32,
    #[prost(bytes = "vec", tag = "3")]
    key: Vec<u8>,
    #[prost(oneof = "Compared", tags = "5, 6")]
    with: Option<Compared>,
}

impl Compare {
    /// Is it the key that was created at etcd's `revision`? 0 means that there is no such key.
    pub(crate) fn created(key: Vec<u8>, revision: i64) -> Self {
        Self { target: Target::Created.into(), key, with: Some(Compared::Created(revision)) }
    }

    /// Was it changed last at etcd's `revision`?
    pub(crate) fn changed(key: Vec<u8>, revision: i64) -> Self {
        Self { target: Target::Changed.into(), key, with: Some(Compared::Changed(revision)) }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Enumeration)]
#[repr(i32)]
enum Target {
    Version = 0,
    Created = 1,
    Changed = 2,
}

#[derive(Clone, PartialEq, Oneof)]
pub(crate) enum Compared {
    #[prost(int64, tag = "5")]
    Created(i64),
    #[prost(int64, tag = "6")]
    Changed(i64),
}

/// Forgets what keys were before a revision.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Compact {
    #[prost(int64, tag = "1")]
    pub(crate) revision: i64,
}

/// Asks for a lease of so many seconds.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct LeaseGrant {
    #[prost(int64, tag = "1")]
    pub(crate) seconds: i64,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct LeaseGranted {
    #[prost(int64, tag = "2")]
    pub(crate) id: i64,
}

/// Ends a lease, and removes what was put with it.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct LeaseRevoke {
    #[prost(int64, tag = "1")]
    pub(crate) id: i64,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct LeaseKeepAlive {
    #[prost(int64, tag = "1")]
    pub(crate) id: i64,
}

/// So many seconds are left; 0 of a lease that is gone.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct LeaseKept {
    #[prost(int64, tag = "3")]
    pub(crate) seconds: i64,
}

/// One of both.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Watch {
    #[prost(message, optional, tag = "1")]
    pub(crate) create: Option<WatchCreate>,
    /// Asks to be told how far the watch is.
    #[prost(message, optional, tag = "3")]
    pub(crate) progress: Option<Nothing>,
}

/// From `key` on, up to `end`; beginning with what happened at etcd's `revision`.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct WatchCreate {
    #[prost(bytes = "vec", tag = "1")]
    pub(crate) key: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    pub(crate) end: Vec<u8>,
    #[prost(int64, tag = "3")]
    pub(crate) revision: i64,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Watched {
    #[prost(bool, tag = "4")]
    pub(crate) canceled: bool,
    #[prost(string, tag = "6")]
    pub(crate) why: String,
    #[prost(message, repeated, tag = "11")]
    pub(crate) events: Vec<Event>,
}

impl Watched {
    /// Of one that ends without a word.
    pub(crate) fn end() -> Self {
        Self { canceled: true, ..Self::default() }
    }
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Event {
    /// 0 for a key that was put, 1 for one that was removed.
    #[prost(int32, tag = "1")]
    pub(crate) kind: i32,
    #[prost(message, optional, tag = "2")]
    pub(crate) pair: Option<Pair>,
}

impl Event {
    pub(crate) fn is_put(&self) -> bool {
        self.kind == 0
    }
}
