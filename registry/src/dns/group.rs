//! Who is answered, of those who might be.

use std::collections::HashSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use mainstay_contracts::registry::Presence;

use super::view::{Entry, Target};

/// Those who have something in common, such as a tag.
#[derive(Debug, Default)]
pub(super) struct Choice {
    up: Vec<u32>,
    doubted: Vec<u32>,
}

impl Choice {
    pub(super) fn add(&mut self, place: usize, presence: Presence) {
        let Ok(place) = u32::try_from(place) else { return };
        match presence {
            Presence::Up => self.up.push(place),
            Presence::Silent | Presence::Suspect => self.doubted.push(place),
            Presence::Draining | Presence::Gone => {}
        }
    }
}

/// Those of a choice who are answered, by what they are asked for.
#[derive(Debug)]
pub(super) struct Group {
    /// For `SRV`: each target and port once.
    pub(super) instances: Vec<u32>,
    /// For `A`: each address once.
    pub(super) v4: Vec<Ipv4Addr>,
    /// For `AAAA`: each address once.
    pub(super) v6: Vec<Ipv6Addr>,
    /// Whose target is a name.
    pub(super) hosts: Vec<u32>,
}

impl Group {
    pub(super) fn new(choice: &Choice, entries: &[Entry]) -> Self {
        let chosen = if choice.up.is_empty() { &choice.doubted } else { &choice.up };
        let mut group =
            Self { instances: Vec::with_capacity(chosen.len()), v4: Vec::new(), v6: Vec::new(), hosts: Vec::new() };
        let (mut instances, mut addresses) = (HashSet::with_capacity(chosen.len()), HashSet::new());
        for place in chosen {
            let Entry { target, port, .. } = &entries[*place as usize];
            if !instances.insert((target, port)) {
                continue;
            }
            group.instances.push(*place);
            match target {
                Target::Address(address) if !addresses.insert(address) => {}
                Target::Address(IpAddr::V4(v4)) => group.v4.push(*v4),
                Target::Address(IpAddr::V6(v6)) => group.v6.push(*v6),
                Target::Host(_) => group.hosts.push(*place),
            }
        }
        group
    }
}
