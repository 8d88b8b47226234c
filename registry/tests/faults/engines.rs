//! A registry, whatever keeps it: one over a directory, or three over etcd.

#[cfg(feature = "etcd")]
mod etcd;
#[cfg(feature = "etcd")]
mod papers;
#[cfg(feature = "etcd")]
mod replicated;

#[cfg(feature = "etcd")]
pub(crate) use self::etcd::Etcd;
#[cfg(feature = "etcd")]
pub(crate) use self::papers::Papers;
#[cfg(feature = "etcd")]
pub(crate) use self::replicated::Replicated;

use crate::client::Client;
use crate::process::Process;

/// Something that keeps the promises of a registry, by one or more doors.
pub(crate) enum World {
    Disk(Process),
    #[cfg(feature = "etcd")]
    Etcd(Replicated),
}

impl World {
    pub(crate) async fn disk(args: &[&str]) -> Self {
        Self::Disk(Process::start(args).await)
    }

    /// Nothing, if etcd may be missing and is.
    #[cfg(feature = "etcd")]
    pub(crate) async fn etcd(args: &[&str]) -> Option<Self> {
        Replicated::start(args).await.map(Self::Etcd)
    }

    /// A client of the one that writes.
    pub(crate) async fn client(&self) -> Client {
        match self {
            Self::Disk(process) => process.client(),
            #[cfg(feature = "etcd")]
            Self::Etcd(replicated) => replicated.client(replicated.writer().await),
        }
    }

    /// A client of one that does not, if there is one.
    pub(crate) async fn other(&self) -> Client {
        match self {
            Self::Disk(process) => process.client(),
            #[cfg(feature = "etcd")]
            Self::Etcd(replicated) => replicated.client((replicated.writer().await + 1) % replicated.len()),
        }
    }

    /// Kills the one that writes, and starts it again. Over etcd, another one writes by then, or will.
    pub(crate) async fn kill(&mut self) {
        match self {
            Self::Disk(process) => drop(process.kill_and_start().await),
            #[cfg(feature = "etcd")]
            Self::Etcd(replicated) => {
                let writer = replicated.writer().await;
                replicated.kill(writer).await;
                replicated.start_again(writer).await;
            }
        }
    }
}
