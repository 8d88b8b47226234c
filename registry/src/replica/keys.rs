//! Under which keys everything is in etcd.

use std::sync::Arc;

use mainstay_contracts::registry::InstanceId;

use crate::kv;
use crate::roster::Grave;

/// What a key is of.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Key {
    /// What never changes: the epoch, and the replicas' secret.
    Life,
    /// How far everything is.
    At,
    /// The replica that writes.
    Writer,
    /// A replica, by its lease.
    Replica(i64),
    /// An instance that is listed.
    Instance(Arc<str>, InstanceId),
    /// One that is gone: a key of its own, so that to forget it can remove nothing newer.
    Gone(Grave),
    /// A key of the key-value store.
    Kv(Arc<str>),
    /// One that was deleted.
    Deleted(kv::Grave),
    Session(Arc<str>),
    /// A key that cannot be locked for a while.
    Delay(Arc<str>),
}

/// All keys of one registry.
#[derive(Debug, Clone)]
pub(super) struct Keys {
    pub(super) prefix: String,
}

impl Keys {
    pub(super) fn of(&self, key: &Key) -> Vec<u8> {
        let prefix = &self.prefix;
        match key {
            Key::Life => format!("{prefix}life"),
            Key::At => format!("{prefix}at"),
            Key::Writer => format!("{prefix}writer"),
            Key::Replica(lease) => format!("{prefix}replica/{lease:016x}"),
            Key::Instance(service, id) => format!("{prefix}instance/{service}/{id}"),
            // In the order in which they are forgotten.
            Key::Gone(Grave { revision, service, id }) => format!("{prefix}gone/{revision:020}/{service}/{id}"),
            Key::Kv(key) => format!("{prefix}kv/{key}"),
            Key::Deleted(kv::Grave { revision, key }) => format!("{prefix}deleted/{revision:020}/{key}"),
            Key::Session(id) => format!("{prefix}session/{id}"),
            Key::Delay(key) => format!("{prefix}delay/{key}"),
        }
        .into_bytes()
    }

    /// What a key is of; nothing, if it is none of a registry's.
    pub(super) fn read(&self, key: &[u8]) -> Option<Key> {
        let key = std::str::from_utf8(key).ok()?.strip_prefix(&self.prefix)?;
        let Some((kind, rest)) = key.split_once('/') else {
            return match key {
                "life" => Some(Key::Life),
                "at" => Some(Key::At),
                "writer" => Some(Key::Writer),
                _ => None,
            };
        };
        Some(match kind {
            "replica" => Key::Replica(u64::from_str_radix(rest, 16).ok()?.cast_signed()),
            "instance" => {
                let (service, id) = rest.split_once('/')?;
                Key::Instance(service.into(), id.parse().ok()?)
            }
            "gone" => {
                let (revision, member) = rest.split_once('/')?;
                let (service, id) = member.split_once('/')?;
                let (revision, id) = (revision.parse().ok()?, id.parse().ok()?);
                Key::Gone(Grave { revision, service: service.into(), id })
            }
            "kv" => Key::Kv(rest.into()),
            "deleted" => {
                let (revision, key) = rest.split_once('/')?;
                Key::Deleted(kv::Grave { revision: revision.parse().ok()?, key: key.into() })
            }
            "session" => Key::Session(rest.into()),
            "delay" => Key::Delay(rest.into()),
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_read_as_it_is_written() {
        let keys = Keys { prefix: "/a/b/".to_owned() };
        let id: InstanceId = "r-1.8001".parse().unwrap();
        let service: Arc<str> = "ratings".into();
        for key in [
            Key::Life,
            Key::At,
            Key::Writer,
            Key::Replica(-7),
            Key::Replica(0x0123_4567_89ab_cdef),
            Key::Instance(Arc::clone(&service), id.clone()),
            Key::Gone(Grave { revision: u64::MAX, service, id }),
            Key::Kv("a/b c/".into()),
            Key::Deleted(kv::Grave { revision: 3, key: "/".into() }),
            Key::Session("3".into()),
            Key::Delay("ä/".into()),
        ] {
            assert_eq!(keys.read(&keys.of(&key)), Some(key));
        }
        for other in [
            "/a/c/life",
            "/a/b/life/",
            "/a/b/writer/x",
            "/a/b/other",
            "/a/b/instance/x",
            "/a/b/replica/q",
            "/a/b/gone/x/y/z",
        ] {
            assert_eq!(keys.read(other.as_bytes()), None, "{other}");
        }
    }
}
