//! Who is there: from a fixed list, or from a registry's watch.

mod connection;
mod cursor;
mod memory;
mod roster;
mod watch;

use mainstay_contracts::Address;
use mainstay_contracts::registry::Instance;

pub(crate) use self::connection::Connection;
pub(crate) use self::memory::{Memory, keep_memory};
pub(crate) use self::roster::{Noted, Roster};
pub(crate) use self::watch::{keep_time, watch};

/// Instances at these addresses, numbered from 1 in the order given.
pub(crate) fn fixed(addresses: &[Address]) -> Vec<Instance> {
    let instance = |(number, address): (u32, &Address)| {
        Some(Instance {
            // Always a name: `ok` only says so to the compiler.
            id: format!("fixed-{number}").parse().ok()?,
            number,
            address: address.clone(),
            zone: None,
            weight: 1,
            version: None,
            tags: Vec::new(),
            metadata: Default::default(),
            incarnation: 0,
        })
    };
    (1..).zip(addresses).filter_map(instance).collect()
}
