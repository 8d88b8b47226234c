//! What is said to whom.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use hickory_proto::op::ResponseCode;
use hickory_proto::rr::rdata::{CNAME, NS, SRV};
use hickory_proto::rr::{RData, RecordType};

use super::group::Group;
use super::reply::{ASKED, Failed, Owner, Reply};
use super::shuffled::shuffled;
use super::view::{Entry, Target, View};
use super::zone::Zone;

/// The same for all: who is preferred is said by weight.
const PRIORITY: u16 = 1;

/// There is nothing of the kind, or no such name at all.
pub(super) fn nothing(zone: &Zone, code: ResponseCode, reply: &mut Reply<'_>) -> Result<(), Failed> {
    reply.code(code);
    reply.authority(Owner::Named(&zone.apex), &zone.authority).map(|_| ())
}

/// The domain itself. Like those below, says whether there is something of the kind, in the reply or cut from it.
pub(super) fn apex(zone: &Zone, kind: RecordType, reply: &mut Reply<'_>) -> Result<bool, Failed> {
    if matches!(kind, RecordType::SOA | RecordType::ANY) {
        reply.answer(ASKED, &zone.authority)?;
    }
    if matches!(kind, RecordType::NS | RecordType::ANY) {
        reply.answer(ASKED, &RData::NS(NS(zone.server.clone())))?;
        if let Some(own) = zone.own {
            reply.additional(Owner::Named(&zone.server), &address(own))?;
        }
    }
    Ok(matches!(kind, RecordType::SOA | RecordType::NS | RecordType::ANY))
}

/// A name that means one address.
pub(super) fn one(own: IpAddr, kind: RecordType, reply: &mut Reply<'_>) -> Result<bool, Failed> {
    let record = address(own);
    let asked_for = kind == record.record_type() || kind == RecordType::ANY;
    if asked_for {
        reply.answer(ASKED, &record)?;
    }
    Ok(asked_for)
}

/// The instances of a service, or those with a tag.
pub(super) fn group(
    zone: &Zone,
    view: &View,
    group: &Group,
    kind: RecordType,
    reply: &mut Reply<'_>,
) -> Result<bool, Failed> {
    let (v4, v6): (&[Ipv4Addr], &[Ipv6Addr]) = match kind {
        RecordType::SRV => return instances(zone, view, group, reply),
        RecordType::A => (&group.v4, &[]),
        RecordType::AAAA => (&[], &group.v6),
        RecordType::ANY => (&group.v4, &group.v6),
        // A name that has addresses is not another one's.
        RecordType::CNAME if group.v4.is_empty() && group.v6.is_empty() => (&[], &[]),
        _ => return Ok(false),
    };
    for place in shuffled(v4.len() + v6.len()) {
        let address = v4.get(place).map_or_else(|| v6[place - v4.len()].into(), |v4| IpAddr::from(*v4));
        if !reply.answer(ASKED, &self::address(address))? {
            return Ok(true);
        }
    }
    if !v4.is_empty() || !v6.is_empty() {
        return Ok(true);
    }
    // A name that is another one's is only one other's.
    match fastrand::choice(&group.hosts).map(|place| &view.entry(*place).target) {
        Some(Target::Host(name)) => reply.answer(ASKED, &RData::CNAME(CNAME(name.clone()))).map(|_| true),
        _ => Ok(false),
    }
}

fn instances(zone: &Zone, view: &View, group: &Group, reply: &mut Reply<'_>) -> Result<bool, Failed> {
    let mut targets = Vec::new();
    for place in shuffled(group.instances.len()) {
        let Entry { target, port, weight } = view.entry(group.instances[place]);
        let (name, address) = match target {
            Target::Address(address) => (zone.of(*address, *port), Some(*address)),
            Target::Host(name) => (name.clone(), None),
        };
        // It ends the record, without pointers; its length is without the root.
        let length = name.len() + 1;
        if !reply.answer(ASKED, &RData::SRV(SRV::new(PRIORITY, *weight, *port, name)))? {
            return Ok(true);
        }
        if let Some(address) = address {
            targets.push((address, *port, reply.offset_of_last(length)));
        }
    }
    for (target, port, offset) in targets {
        let name;
        let owner = match offset {
            Some(offset) => Owner::At(offset),
            None => {
                name = zone.of(target, port);
                Owner::Named(&name)
            }
        };
        if !reply.additional(owner, &address(target))? {
            break;
        }
    }
    Ok(!group.instances.is_empty())
}

fn address(address: IpAddr) -> RData {
    match address {
        IpAddr::V4(v4) => RData::A(v4.into()),
        IpAddr::V6(v6) => RData::AAAA(v6.into()),
    }
}
