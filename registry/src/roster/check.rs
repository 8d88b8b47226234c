//! What may be registered.

use std::net::SocketAddr;

use mainstay_contracts::registry::{Register, check_service_name};

use super::health::Check;
use super::refused::{Kind, Refused};

/// Of one instance.
const CHECKS: usize = 16;
const WEIGHTS: std::ops::RangeInclusive<u16> = 1..=1000;
const TEXT: usize = 128;
const TAGS: usize = 64;
const METADATA: usize = 64;
const KEY: usize = 128;
const VALUE: usize = 1024;

/// Refuses what does not fit, and names it. Ids and addresses are checked by their types; an instance that is
/// `portless` may have an address that nobody can call.
pub(super) fn check(call: &Register, portless: bool) -> Result<(), Refused> {
    let refuse = |reason: String| Err(Refused::new(Kind::Invalid, reason));
    if let Err(error) = check_service_name(&call.service) {
        return refuse(error.to_string());
    }
    if !WEIGHTS.contains(&call.weight) {
        return refuse(format!("weight is {}, but must be from 1 to 1000", call.weight));
    }
    if call.number == Some(0) {
        return refuse("number is 0, but must be at least 1".to_owned());
    }
    if call.address.port() == 0 && !portless {
        return refuse(format!("address {} has no port from 1 to 65535", call.address));
    }
    if let Ok(socket) = call.address.authority().parse::<SocketAddr>()
        && socket.ip().is_unspecified()
    {
        return refuse(format!("address {} is no place that clients can reach", call.address));
    }
    for (name, text) in [("zone", &call.zone), ("version", &call.version)] {
        if text.as_ref().is_some_and(|text| text.len() > TEXT) {
            return refuse(format!("{name} is longer than {TEXT} bytes"));
        }
    }
    if call.tags.len() > TAGS {
        return refuse(format!("there are {} tags, but there may be {TAGS}", call.tags.len()));
    }
    if let Some(tag) = call.tags.iter().find(|tag| tag.is_empty() || tag.len() > TEXT) {
        let start: String = tag.chars().take(40).collect();
        return refuse(format!("tag {start:?} is not from 1 to {TEXT} bytes long"));
    }
    if call.metadata.len() > METADATA {
        return refuse(format!("metadata has {} entries, but may have {METADATA}", call.metadata.len()));
    }
    for (key, value) in &call.metadata {
        let start: String = key.chars().take(40).collect();
        if key.is_empty() || key.len() > KEY {
            return refuse(format!("metadata key {start:?} is not from 1 to {KEY} bytes long"));
        }
        if value.len() > VALUE {
            return refuse(format!("metadata value of {start:?} is longer than {VALUE} bytes"));
        }
    }
    Ok(())
}

/// Refuses too many checks.
pub(super) fn few(checks: &[Check]) -> Result<(), Refused> {
    if checks.len() > CHECKS {
        let reason = format!("an instance has at most {CHECKS} checks, and would have {}", checks.len());
        return Err(Refused::new(Kind::Invalid, reason));
    }
    Ok(())
}
