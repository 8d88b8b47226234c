//! Which rights a request takes, by what its path says.

use http::Method;

use crate::Rights;

/// What stands before the name of a service: in the native protocol, and in Consul's.
const SERVICES: [&str; 5] = [
    "/v1/services/",
    "/v1/health/service/",
    "/v1/health/checks/",
    "/v1/catalog/service/",
    "/v1/agent/health/service/name/",
];
/// Whoever may read some services is answered with those, and with what says nothing of any.
const LISTS: [&str; 9] = [
    "/v1/services",
    "/v1/prometheus",
    "/v1/catalog/services",
    "/v1/catalog/nodes",
    "/v1/catalog/datacenters",
    "/v1/agent/services",
    "/v1/agent/checks",
    "/v1/agent/self",
    "/v1/agent/members",
];
/// The same, with more behind it.
const LISTS_OF: [&str; 6] = [
    "/v1/catalog/node/",
    "/v1/health/node/",
    "/v1/health/state/",
    "/v1/agent/service/",
    "/v1/agent/health/service/id/",
    "/v1/status/",
];

/// Is it for somebody with these rights? Handlers whose calls name services in their bodies, or list them, look for
/// themselves.
pub(super) fn check(rights: &Rights, method: &Method, path: &str) -> Result<(), String> {
    let (reads, registers) = (method.is_safe(), !method.is_safe());
    let (may, what) = match service(path) {
        _ if path == "/health" => (true, String::new()),
        Some(service) if reads => (rights.may_read(service), format!("read {service}")),
        Some(service) => (rights.may_register(service), format!("register {service}")),
        None if path.starts_with("/v1/leases/") => (rights.may_register_some(), "register anything".to_owned()),
        // Which service that is about, the one who does it finds out.
        None if registers && path.starts_with("/v1/agent/") => {
            (rights.may_register_some(), "register anything".to_owned())
        }
        None if registers => (rights.may_register(""), "change all services".to_owned()),
        None if lists(path) => (rights.may_read_some(), "read anything".to_owned()),
        None => (rights.may_read(""), "read all services".to_owned()),
    };
    if may { Ok(()) } else { Err(format!("you may not {what}")) }
}

/// The service that a path is about, if it says that.
fn service(path: &str) -> Option<&str> {
    let rest = SERVICES.iter().find_map(|beginning| path.strip_prefix(beginning))?;
    rest.split('/').next().filter(|service| !service.is_empty())
}

fn lists(path: &str) -> bool {
    LISTS.contains(&path) || LISTS_OF.iter().any(|beginning| path.starts_with(beginning))
}
