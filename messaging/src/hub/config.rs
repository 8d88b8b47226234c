//! What a hub must know.

use std::path::PathBuf;

use mainstay::Address;

use super::Limits;

/// What a hub must know.
#[derive(Debug, Clone)]
pub struct Config {
    /// The directory that it keeps messages in, and nobody else opens. Made if it is not there.
    pub data: PathBuf,
    /// Where the registry is. It may be away: the hub serves, and registers when the registry comes.
    pub registry: Address,
    /// How much it may hold.
    pub limits: Limits,
    /// Consumers that may wait at once for messages to come, 512 unless it is said. Each has a connection, of which half
    /// are for everybody else. Who comes then is refused with 429, and asks again.
    pub waiting: usize,
}

impl Config {
    /// Keeps messages in a directory, and is found through a registry.
    pub fn new(data: impl Into<PathBuf>, registry: Address) -> Self {
        Self { data: data.into(), registry, limits: Limits::default(), waiting: 512 }
    }
}
