//! The lines of the registry's streams.

use serde::{Deserialize, Serialize};

#[cfg(doc)]
use super::{BOOKMARK_EVERY, HOLD, HOLD_LEASE, Register, WATCH, Watch};
use super::{Fingerprint, GoneReason, InstanceId, Listed, Listing, Registered};

/// One line of a [`WATCH`] stream. The first is a snapshot, or says where the stream resumes.
///
/// Whoever reads slowly is told less often, not later: of several changes of one instance only the last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum WatchFrame {
    /// All there is.
    Snapshot(Listing),
    /// What follows is what came after the revision that the [`Watch`] has named.
    Resumed {
        /// Which life of the registry's memory this is.
        epoch: u64,
        /// The revision named.
        revision: u64,
    },
    /// An instance came, or something about it changed.
    Changed {
        /// The revision after it.
        revision: u64,
        /// The instance as it is now.
        #[serde(flatten)]
        listed: Listed,
    },
    /// An instance is gone.
    Gone {
        /// The revision after it.
        revision: u64,
        /// Which one.
        id: InstanceId,
        /// Why it is not listed any more.
        why: GoneReason,
    },
    /// Nothing new; the registry is there. Sent every [`BOOKMARK_EVERY`].
    Bookmark {
        /// The revision up to which everything has been told: where to resume.
        revision: u64,
        /// That of the list at this revision.
        fingerprint: Fingerprint,
    },
    /// The registry stops, and this stream with it. It comes back, or another does.
    Closing {
        /// When to come back, in milliseconds: everybody is told another time.
        return_in_ms: u64,
    },
    /// Something a later registry tells, for later clients.
    #[serde(other)]
    Unknown,
}

/// One line of a [`HOLD`] or [`HOLD_LEASE`] stream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum HoldFrame {
    /// The first of [`HOLD`]: the instance is registered, for as long as this connection stands.
    Held(Registered),
    /// The first of [`HOLD_LEASE`]: what is registered with the lease is there for as long as this connection stands.
    Lease {
        /// Which life of the registry's memory this is.
        epoch: u64,
        /// How many instances were registered with the lease before.
        instances: usize,
        /// How often to beat, in milliseconds.
        beat_every_ms: u64,
    },
    /// The registry is there. Sent every [`BOOKMARK_EVERY`].
    Bookmark,
    /// A later incarnation has taken the place of this stream's only instance, and the stream ends. Whoever tries
    /// again, in case the later one leaves, waits long before: the SDK half a minute.
    Superseded {
        /// The later incarnation.
        incarnation: u64,
    },
    /// Another process has the place of one of the lease's instances, by its name or its address. The others are there
    /// as before, and the stream goes on. Of several for one instance, only the last is told.
    Replaced {
        /// The service it was an instance of.
        service: String,
        /// Which one.
        id: InstanceId,
        /// The incarnation that has its place. If that is an earlier one, as it may take the address of who is silent,
        /// the instance is to be registered again; else as after [`Superseded`](HoldFrame::Superseded).
        incarnation: u64,
    },
    /// The registry stops, and this stream with it. The lease goes on.
    Closing {
        /// When to come back, in milliseconds: everybody is told another time.
        return_in_ms: u64,
    },
    /// Something a later registry tells, for later instances.
    #[serde(other)]
    Unknown,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_flat_json_lines() {
        let json = r#"{"type":"changed","revision":7,"id":"ratings-1","number":1,"address":"http://127.0.0.1:8001","weight":1,"incarnation":9,"presence":"up"}"#;
        let frame: WatchFrame = serde_json::from_str(json).unwrap();
        assert_eq!(serde_json::to_string(&frame).unwrap(), json);
        let json = r#"{"type":"replaced","service":"ratings","id":"ratings-1","incarnation":9}"#;
        let frame: HoldFrame = serde_json::from_str(json).unwrap();
        assert_eq!(serde_json::to_string(&frame).unwrap(), json);
    }

    #[test]
    fn what_later_registries_tell_is_no_error() {
        let later = r#"{"type":"later","service":"ratings","of":[{"id":1},null],"incarnation":"text"}"#;
        assert_eq!(serde_json::from_str::<HoldFrame>(later).unwrap(), HoldFrame::Unknown);
        assert_eq!(serde_json::from_str::<WatchFrame>(later).unwrap(), WatchFrame::Unknown);
    }
}
