//! Who is there: services register their instances, and whoever watches knows of every change at once.
//!
//! The protocol is [`mainstay_contracts::registry`]. What has been acknowledged is on disk, if there is a directory for
//! it ([`Config::data`]): after a restart everybody is still there, and whoever watched goes on where it was.
//!
//! | To see | read |
//! |---|---|
//! | when an instance is up, silent, suspect or gone | `roster` |
//! | who changes it, one batch after the other | `writer` |
//! | keys with values, sessions, and the locks they hold | `kv` |
//! | how a batch survives | `keeper`, `store`; `replica` over an etcd cluster |
//! | what everybody reads, and how watchers follow | `views` |
//! | what protocols are made of | `directory` |
//! | what is answered, and how requests are refused | `http` |
//! | what Consul's clients are answered | `consul` |
//! | how names are answered | [`dns`] |
//! | how connections are bounded and ended | `serve` |
//! | what must hold of every registry, feature `testing` | `testing` |
//!
//! It asks nobody who they are, unless there are tokens ([`Config::access`]), so the program listens on a loopback address
//! unless it is told otherwise.

mod access;
mod clock;
mod config;
mod consul;
mod directory;
pub mod dns;
#[cfg(feature = "etcd")]
mod etcd;
mod http;
mod keeper;
mod kv;
mod line;
mod metrics;
mod pulse;
#[cfg(feature = "etcd")]
mod replica;
mod roster;
mod run;
mod serve;
mod standing;
mod store;
#[cfg(feature = "testing")]
pub mod testing;
mod tls;
mod views;
mod wheel;
#[cfg(feature = "etcd")]
mod why;
mod writer;

pub use access::{Access, BadTokens, Rights, Token};
pub use config::{Config, Consul, Guard, Limits};
#[cfg(feature = "etcd")]
pub use etcd::{BadEtcd, Cluster};
pub use kv::KvLimits;
#[cfg(feature = "etcd")]
pub use replica::Replication;
pub use run::{Opened, run};
#[cfg(feature = "etcd")]
pub use tls::Client as TlsClient;
pub use tls::{BadTls, Tls};
