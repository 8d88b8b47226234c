//! The registry's protocol: who is there, kept true by leases, told to whoever watches.
//!
//! | Said by an instance | |
//! |---|---|
//! | [`HOLD_LEASE`] | opens the lease of a process: a stream of [`HoldFrame`]s. Its end is the end of the process |
//! | [`Register`], [`Deregister`] | puts an instance on the list, takes it off; any number of them on one lease |
//! | [`BeatLease`] | the process is there, with all it has registered |
//! | [`Drain`], [`Undrain`] | asks for no more calls, and for calls again |
//! | [`EndLease`] | takes off the list what is registered with the lease |
//!
//! | Asked by whoever looks | |
//! |---|---|
//! | [`WATCH`] | a service's instances, and every change: a stream of [`WatchFrame`]s |
//! | [`List`], [`Services`] | who is there now |
//! | [`Look`], [`Inspect`] | how the registry is, and what it knows of instances |
//! | [`Release`] | an operator says that the instances in doubt are really lost |
//!
//! An instance by itself, such as a shell script, needs no lease of its own making: [`HOLD`] registers it for as long as
//! a connection stands, and [`Register`] without a lease for as long as it [`Beat`]s.
//!
//! **Cursors.** Every change has a revision, which only grows, over all services. A [`Watch`] that names the epoch and
//! the revision that it has seen gets what has changed since; where too much has, or the epoch is another, all there is.
//! An epoch is one life of what the registry remembers, not of its process: it goes on after a restart.
//!
//! **Verifying.** A [`WatchFrame::Bookmark`] carries the [`Fingerprint`] of the list at its revision.
//!
//! | Time | Default | Meaning |
//! |---|---|---|
//! | [`BEAT_EVERY`] | 5 s | how often an instance says that it is there |
//! | [`SILENT_AFTER`] | 15 s | without a beat, up becomes silent |
//! | [`GONE_AFTER`] | 90 s | after that, silent becomes gone |
//! | [`SUSPECT_FOR`] | 15 min | or suspect, if too many would go at once; after that, gone |

mod calls;
mod fingerprint;
mod frames;
mod inspection;
mod instance;
mod leases;
mod names;
mod watching;

use std::time::Duration;

pub use self::calls::{
    Beat, Beaten, Deregister, Deregistered, Drain, Drained, Register, Registered, Release, Released, Undrain, Undrained,
};
pub use self::fingerprint::Fingerprint;
pub use self::frames::{HoldFrame, WatchFrame};
pub use self::inspection::{Doubt, Inspect, Inspected, Inspection, Look, Overview, ServiceOverview};
pub use self::instance::{GoneReason, Instance, Listed, Presence};
pub use self::leases::{BeatLease, EndLease, HoldLease, LeaseEnded};
pub use self::names::{BadName, InstanceId, LeaseId, check_service_name};
pub use self::watching::{List, Listing, ServiceNames, Services, Watch};
use crate::Service;

/// How often an instance says that it is there.
pub const BEAT_EVERY: Duration = Duration::from_secs(5);
/// Without a beat for this long, an instance is [`Presence::Silent`].
pub const SILENT_AFTER: Duration = Duration::from_secs(15);
/// Silent for this long, an instance is [`Presence::Gone`]. It outlasts a retest delay of 30 s.
pub const GONE_AFTER: Duration = Duration::from_secs(90);
/// An instance that would be gone together with too many others is [`Presence::Suspect`] for this long.
pub const SUSPECT_FOR: Duration = Duration::from_secs(15 * 60);
/// How often the registry speaks on a stream that has nothing to tell.
pub const BOOKMARK_EVERY: Duration = Duration::from_secs(5);

/// `GET`, asked with a [`Watch`]: a stream of [`WatchFrame`]s, one JSON object a line.
pub const WATCH: &str = "/v1/services/{service}/watch";
/// `POST` of a [`Register`]: a stream of [`HoldFrame`]s, one JSON object a line. The instance is gone the
/// moment the connection is.
pub const HOLD: &str = "/v1/services/{service}/instances/{id}/hold";
/// `POST` of a [`HoldLease`]: a stream of [`HoldFrame`]s, one JSON object a line. What is registered with the lease is
/// gone the moment the connection is.
pub const HOLD_LEASE: &str = "/v1/leases/{lease}/hold";

/// The registry as a service that is called.
#[derive(Debug)]
pub struct Registry;

impl Service for Registry {
    const NAME: &'static str = "registry";
}
