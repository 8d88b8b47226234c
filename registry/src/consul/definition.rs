//! What is registered: services and checks, as bodies define them.

use std::collections::BTreeMap;
use std::time::Duration;

use mainstay_contracts::Address;
use mainstay_contracts::registry::{InstanceId, Register};
use serde_json::{Map, Value};

use super::answer::No;
use super::asked::short;
use super::body::Fields;
use super::duration;
use crate::Consul;
use crate::roster::{Check, Enlist, Status};

/// What a check may be told with, in bytes. What is longer is cut off, as Consul does.
const OUTPUT: usize = 4096;
const ID: usize = 256;
const NAME: usize = 256;
const NOTES: usize = 1024;
const TTL: std::ops::RangeInclusive<Duration> = Duration::from_millis(100)..=Duration::from_secs(24 * 60 * 60);
/// Whoever is critical has at least so long to recover.
const CRITICAL_AT_LEAST: Duration = Duration::from_secs(60);
const CRITICAL_AT_MOST: Duration = Duration::from_secs(30 * 24 * 60 * 60);
/// What makes a check one that the agent makes.
const CALLS: [&str; 18] = [
    "HTTP",
    "TCP",
    "UDP",
    "GRPC",
    "H2PING",
    "Script",
    "Args",
    "ScriptArgs",
    "Shell",
    "DockerContainerID",
    "AliasNode",
    "AliasService",
    "OSService",
    "Method",
    "Header",
    "Body",
    "Interval",
    "Timeout",
];

/// A service.
pub(super) fn service(mut fields: Fields, consul: &Consul, replace: bool) -> Result<Enlist, No> {
    let name: String = fields.take("Name")?.ok_or_else(|| No::bad("Missing service name"))?;
    let id: InstanceId = id(fields.take("ID")?.unwrap_or_else(|| name.clone()))?;
    let address: Option<String> = fields.take("Address")?;
    let port: Option<u16> = fields.take("Port")?;
    let mut weights = Fields::new(fields.take("Weights")?.unwrap_or_default())?;
    let (weight, warning_weight) = (weights.take("Passing")?.unwrap_or(1), weights.take("Warning")?.unwrap_or(1));
    weights.end()?;
    let mut definitions: Vec<Map<String, Value>> = Vec::new();
    definitions.extend(fields.take::<Map<String, Value>>("Check")?);
    definitions.extend(fields.take::<Vec<Map<String, Value>>>("Checks")?.unwrap_or_default());
    let (tags, metadata) = (fields.take("Tags")?.unwrap_or_default(), fields.take("Meta")?.unwrap_or_default());
    // Whoever may register is asked for it before.
    fields.take::<String>("Token")?;
    fields.end()?;
    let address = place(address, port, consul)?;
    let checks = checks(definitions, &name, &id)?;
    let call = Register {
        service: name,
        id,
        address,
        number: None,
        zone: None,
        weight,
        version: None,
        tags,
        metadata,
        incarnation: None,
        lease: None,
    };
    Ok(Enlist { call, checks, warning_weight, replace })
}

fn id(text: String) -> Result<InstanceId, No> {
    InstanceId::try_from(text).map_err(|error| No::bad(error.to_string()))
}

fn place(host: Option<String>, port: Option<u16>, consul: &Consul) -> Result<Address, No> {
    let host = host.unwrap_or_else(|| consul.address.to_string());
    let bad = |why: String| No::bad(format!("Address {:?}: {why}", short(&host)));
    if host.contains('/') {
        return Err(bad("a host has no path".to_owned()));
    }
    let host = if host.contains(':') && !host.starts_with('[') { format!("[{host}]") } else { host };
    let address = match port {
        Some(port) => format!("http://{host}:{port}").parse(),
        None => Address::portless(&host),
    };
    address.map_err(|error| No::bad(error.to_string()))
}

fn checks(definitions: Vec<Map<String, Value>>, service: &str, id: &InstanceId) -> Result<Vec<Check>, No> {
    let definitions = definitions.into_iter().map(Fields::new).collect::<Result<Vec<_>, No>>()?;
    let definitions: Vec<Fields> = definitions.into_iter().filter(|definition| !definition.is_empty()).collect();
    let several = definitions.len() > 1;
    let mut checks: BTreeMap<String, Check> = BTreeMap::new();
    for (at, mut definition) in definitions.into_iter().enumerate() {
        let number = if several { format!(":{}", at + 1) } else { String::new() };
        let unnamed = (format!("service:{id}{number}"), format!("Service '{service}' check"));
        let check = check(&mut definition, unnamed)?;
        definition.end()?;
        if let Some(check) = checks.insert(check.id.clone(), check) {
            return Err(No::bad(format!("there are two checks {:?}", check.id)));
        }
    }
    Ok(checks.into_values().collect())
}

/// A check of its own, and the service that it is of.
pub(super) fn check_of_service(mut fields: Fields) -> Result<(InstanceId, Check), No> {
    let name: String = fields.take("Name")?.ok_or_else(|| No::bad("Missing check name"))?;
    let Some(service) = fields.take("ServiceID")? else {
        return Err(No::bad("a check is that of a service here: ServiceID is missing, and the node has no checks"));
    };
    let check = check(&mut fields, (name.clone(), name))?;
    fields.take::<String>("Token")?;
    fields.end()?;
    Ok((id(service)?, check))
}

/// A check, which may have an id and a name already.
fn check(fields: &mut Fields, (id, name): (String, String)) -> Result<Check, No> {
    if let Some(kind) = CALLS.iter().find(|kind| fields.has(kind)) {
        let reason = "this registry makes no calls of its own: a check is one with a TTL";
        return Err(No::bad(format!("{kind} is not supported here: {reason}")));
    }
    let id = fields.take("CheckID")?.or(fields.take("ID")?).unwrap_or(id);
    let name = fields.take("Name")?.unwrap_or(name);
    let notes: String = fields.take("Notes")?.unwrap_or_default();
    for (what, text, most) in [("check ID", &id, ID), ("check name", &name, NAME), ("check notes", &notes, NOTES)] {
        if text.len() > most {
            return Err(No::bad(format!("{what} {:?} is longer than {most} bytes", short(text))));
        }
    }
    let Some(ttl) = time(fields, "TTL")? else {
        return Err(No::bad("a check has a TTL here, as this registry makes no calls of its own: TTL is missing"));
    };
    if !TTL.contains(&ttl) {
        return Err(No::bad(format!("TTL is {ttl:?}, but must be from {:?} to {:?}", TTL.start(), TTL.end())));
    }
    let gone_after = time(fields, "DeregisterCriticalServiceAfter")?;
    if gone_after.is_some_and(|after| after > CRITICAL_AT_MOST) {
        return Err(No::bad(format!("DeregisterCriticalServiceAfter is longer than {CRITICAL_AT_MOST:?}")));
    }
    let said = fields.take::<String>("Status")?.map_or(Ok(Status::Critical), |word| status(&word))?;
    let gone_after = gone_after.map(|after| after.max(CRITICAL_AT_LEAST));
    Ok(Check { id, name, notes, ttl, gone_after, said, output: String::new(), expired: false })
}

fn time(fields: &mut Fields, key: &str) -> Result<Option<Duration>, No> {
    let Some(text) = fields.take::<String>(key)? else { return Ok(None) };
    let time = duration::parse(&text);
    let time = time.ok_or_else(|| No::bad(format!("{key} {:?} is no length of time, such as 10s", short(&text))))?;
    Ok(Some(time).filter(|time| !time.is_zero()))
}

pub(super) fn status(word: &str) -> Result<Status, No> {
    let statuses = [Status::Passing, Status::Warning, Status::Critical];
    let status = statuses.into_iter().find(|status| status.word() == word);
    status.ok_or_else(|| No::bad(format!("Invalid check status: {:?}", short(word))))
}

/// As much of a check's output as is kept.
pub(super) fn output(text: &str) -> String {
    let end = (0..=OUTPUT.min(text.len())).rev().find(|end| text.is_char_boundary(*end));
    text[..end.unwrap_or_default()].to_owned()
}
