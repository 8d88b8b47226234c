//! Bytes as requests.

use std::time::Duration;

use http::{Method, Request, Uri};

/// What a request begins with. What is empty takes the method and all of the target from the line.
const PATHS: [&str; 52] = [
    "",
    "GET /v1/services/",
    "GET /v1/services/ratings",
    "GET /v1/services/ratings/watch",
    "GET /v1/services/ratings/inspect",
    "PUT /v1/services/ratings/instances/",
    "PUT /v1/services/ratings/instances/a",
    "POST /v1/services/ratings/instances/a/hold",
    "POST /v1/services/ratings/instances/a/beat",
    "PUT /v1/services/ratings/instances/a/drain",
    "DELETE /v1/services/ratings/instances/a/drain",
    "DELETE /v1/services/ratings/instances/a",
    "POST /v1/services/ratings/release",
    "POST /v1/leases/",
    "POST /v1/leases/l/hold",
    "POST /v1/leases/l/beat",
    "DELETE /v1/leases/l",
    "GET /v1/overview",
    "GET /v1/prometheus",
    "GET /metrics",
    "GET /health",
    "GET /",
    "PUT /v1/agent/service/register",
    "PUT /v1/agent/service/deregister/",
    "PUT /v1/agent/service/maintenance/ratings",
    "PUT /v1/agent/maintenance",
    "PUT /v1/agent/check/register",
    "PUT /v1/agent/check/deregister/",
    "PUT /v1/agent/check/pass/service:ratings",
    "PUT /v1/agent/check/warn/service:ratings",
    "PUT /v1/agent/check/fail/service:ratings",
    "PUT /v1/agent/check/update/service:ratings",
    "GET /v1/agent/self",
    "GET /v1/agent/services",
    "GET /v1/agent/checks",
    "GET /v1/agent/service/",
    "GET /v1/agent/health/service/id/",
    "GET /v1/agent/health/service/name/",
    "GET /v1/catalog/services",
    "GET /v1/catalog/service/",
    "GET /v1/catalog/node",
    "GET /v1/health/service/ratings",
    "GET /v1/health/checks/ratings",
    "GET /v1/health/state/",
    "GET /v1/kv/",
    "PUT /v1/kv/",
    "DELETE /v1/kv/",
    "PUT /v1/session/create",
    "PUT /v1/session/renew/",
    "PUT /v1/session/destroy/",
    "GET /v1/session/list",
    "GET /v1/session/info/",
];
/// The number behind those of the paths: nothing is asked for, and time passes, by the length of the line.
const PASSES: usize = PATHS.len();
/// How much of it for each byte, up to so many.
const TIME: Duration = Duration::from_secs(1);
const LONGEST: usize = 150;
/// How many requests are made of one input.
const MOST: usize = 32;

/// What is to be done next.
pub(super) enum Asked {
    Request(Box<Request<Vec<u8>>>),
    Nothing(Duration),
}

/// Whatever of the input can be read as something to do.
pub(super) fn requests(input: &[u8]) -> impl Iterator<Item = Asked> {
    input.split(|byte| *byte == 0xFF).take(MOST).filter_map(request)
}

fn request(bytes: &[u8]) -> Option<Asked> {
    let (number, rest) = bytes.split_first()?;
    let end = rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
    let (line, body) = (&rest[..end], rest.get(end + 1..).unwrap_or_default());
    let number = usize::from(*number) % (PASSES + 1);
    if number == PASSES {
        return Some(Asked::Nothing(TIME * u32::try_from(line.len().min(LONGEST)).ok()?));
    }
    let whole = [PATHS[number].as_bytes(), line].concat();
    let space = whole.iter().position(|byte| *byte == b' ')?;
    let method = Method::from_bytes(&whole[..space]).ok()?;
    let target = Uri::try_from(&whole[space + 1..]).ok()?;
    Request::builder().method(method).uri(target).body(body.to_owned()).ok().map(Box::new).map(Asked::Request)
}

/// May it be answered late, as it waits for what others do?
pub(super) fn may_wait(request: &Request<Vec<u8>>) -> bool {
    let query = request.uri().query().unwrap_or_default();
    request.uri().path().ends_with("/drain")
        || form_urlencoded::parse(query.as_bytes()).any(|(name, _)| name == "index")
}
