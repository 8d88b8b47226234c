//! What a name means.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use hickory_proto::rr::rdata::SOA;
use hickory_proto::rr::{Name, RData};

use super::Config;
use super::label::is_label;

/// The names that are answered here.
#[derive(Debug)]
pub(super) struct Zone {
    domain: String,
    datacentre: String,
    /// Where this server is reached, if it listens on one address.
    pub(super) own: Option<IpAddr>,
    /// The domain as a name.
    pub(super) apex: Name,
    /// The name of this server.
    pub(super) server: Name,
    /// Sent along when there is nothing: who says so, and that it is not to be remembered.
    pub(super) authority: RData,
}

/// What a name means.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    /// It is somebody else's.
    Outside,
    /// There is no such name.
    Nothing,
    /// There are names below it.
    Between,
    /// The domain itself.
    Apex,
    /// This server.
    Server,
    /// The address that the name spells.
    Address(IpAddr),
    /// A service, or its instances with a tag; both in lower case.
    Service { name: String, tag: Option<String> },
}

impl Zone {
    pub(super) fn new(config: &Config, own: Option<IpAddr>) -> Self {
        let (domain, datacentre) = (config.domain.as_str().to_owned(), config.datacentre.as_str().to_owned());
        let apex = name(&domain);
        let server = name(&format!("ns.{domain}"));
        // Nobody transfers the zone, so the serial stands still. The last number is how long to remember that there is
        // nothing.
        let responsible = name(&format!("hostmaster.{domain}"));
        let authority = RData::SOA(SOA::new(server.clone(), responsible, 1, 3_600, 600, 86_400, 0));
        Self { domain, datacentre, own, apex, server, authority }
    }

    /// A name that means this address, and no other port's: HAProxy takes an additional record for one target, not for
    /// all of its name.
    pub(super) fn of(&self, address: IpAddr, port: u16) -> Name {
        let (domain, datacentre) = (&self.domain, &self.datacentre);
        match address {
            IpAddr::V4(v4) => name(&format!("{port}.{:08x}.addr.{datacentre}.{domain}", v4.to_bits())),
            IpAddr::V6(v6) => name(&format!("{port}.{:032x}.addr.{datacentre}.{domain}", v6.to_bits())),
        }
    }

    pub(super) fn read(&self, asked: &Name) -> Meaning {
        let mut labels: Vec<&[u8]> = asked.iter().collect();
        for part in self.domain.rsplit('.') {
            if !labels.pop().is_some_and(|label| label.eq_ignore_ascii_case(part.as_bytes())) {
                return Meaning::Outside;
            }
        }
        let lower = |label: &&[u8]| std::str::from_utf8(label).ok().map(str::to_ascii_lowercase);
        match labels.iter().map(lower).collect::<Option<Vec<String>>>() {
            Some(labels) => self.below(&labels.iter().map(String::as_str).collect::<Vec<_>>()),
            None => Meaning::Nothing,
        }
    }

    fn below(&self, labels: &[&str]) -> Meaning {
        for (place, label) in labels.iter().enumerate().rev() {
            let (before, after) = (&labels[..place], &labels[place + 1..]);
            let meaning = match *label {
                "service" => service(before),
                "addr" => address(before),
                "node" => Meaning::Nothing,
                _ if label.starts_with('_') => service(&labels[..=place]),
                _ => continue,
            };
            return if self.is_here(after) { meaning } else { Meaning::Nothing };
        }
        match labels {
            [] => Meaning::Apex,
            ["ns"] => Meaning::Server,
            ["dc"] => Meaning::Between,
            _ if self.is_here(labels) => Meaning::Between,
            _ => Meaning::Nothing,
        }
    }

    fn is_here(&self, labels: &[&str]) -> bool {
        match labels {
            [] => true,
            [datacentre] | [datacentre, "dc"] => *datacentre == self.datacentre,
            _ => false,
        }
    }
}

/// What stands before `service`, or ends with a label that begins with `_`.
fn service(labels: &[&str]) -> Meaning {
    let (name, tag) = match labels {
        [] => return Meaning::Between,
        [name, tag] if name.starts_with('_') && tag.starts_with('_') => {
            (&name[1..], Some(tag[1..].to_owned()).filter(|tag| !matches!(tag.as_str(), "tcp" | "udp")))
        }
        [label] if label.starts_with('_') => return Meaning::Between,
        [name] => (*name, None),
        // A tag may have dots in it.
        [tag @ .., name] => (*name, Some(tag.join("."))),
    };
    Meaning::Service { name: name.to_owned(), tag }
}

/// What stands before `addr`.
fn address(labels: &[&str]) -> Meaning {
    let digits = match labels {
        [] => return Meaning::Between,
        [digits] if digits.bytes().all(|digit| digit.is_ascii_hexdigit()) => *digits,
        [port, digits] if port.parse::<u16>().is_ok() && digits.bytes().all(|digit| digit.is_ascii_hexdigit()) => {
            *digits
        }
        _ => return Meaning::Nothing,
    };
    match (digits.len(), u128::from_str_radix(digits, 16), u32::from_str_radix(digits, 16)) {
        (8, _, Ok(bits)) => Meaning::Address(Ipv4Addr::from_bits(bits).into()),
        (32, Ok(bits), _) => Meaning::Address(Ipv6Addr::from_bits(bits).into()),
        _ => Meaning::Nothing,
    }
}

/// A host as a name, if it can be one.
pub(super) fn host(text: &str) -> Option<Name> {
    let text = text.strip_suffix('.').unwrap_or(text);
    let fits = text.len() <= 253 && text.split('.').all(is_label);
    fits.then(|| name(text))
}

/// Of labels that were checked before.
fn name(text: &str) -> Name {
    let mut name = Name::from_labels(text.split('.').map(str::as_bytes)).expect("labels and lengths are checked");
    name.set_fqdn(true);
    name
}
