//! What was answered, and whether it can be.

use http::header::CONTENT_TYPE;
use http::{HeaderMap, Method, Request, StatusCode};
use serde_json::{Value, from_slice};

#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
}

impl Answer {
    /// Refused with a reason, or what its head says it is.
    #[track_caller]
    pub(super) fn is_sound(&self, request: &Request<Vec<u8>>) {
        let said = || format!("{request:?}\n{self:?}\n{}", String::from_utf8_lossy(&self.body));
        if request.method() == Method::HEAD {
            return;
        }
        let is_refused = self.status.is_client_error() || self.status.is_server_error();
        // A key that is not there is not told in words, as with Consul; but it has an index.
        let is_absent = self.status == StatusCode::NOT_FOUND && self.headers.contains_key("x-consul-index");
        assert!(!is_refused || is_absent || !self.body.is_empty(), "refused without a reason: {}", said());
        assert!(!self.status.is_server_error() || is_meant(request, self.status), "it broke: {}", said());
        let kind = self.headers.get(CONTENT_TYPE).map_or(&b""[..], |kind| kind.as_bytes());
        let is_json = |text: &[u8]| from_slice::<Value>(text).is_ok();
        match kind {
            b"application/json" => assert!(is_json(&self.body), "no JSON: {}", said()),
            b"application/x-ndjson" => {
                let mut lines = self.body.split_inclusive(|byte| *byte == b'\n');
                assert!(lines.all(|line| line.ends_with(b"\n") && is_json(line)), "no lines of JSON: {}", said());
            }
            _ => {}
        }
    }
}

/// What Consul says with a 5xx is no failure: another data centre, a session that is over.
fn is_meant(request: &Request<Vec<u8>>, status: StatusCode) -> bool {
    let query = request.uri().query().unwrap_or_default();
    let mut names = form_urlencoded::parse(query.as_bytes()).map(|(name, _)| name);
    let is_named = names.any(|name| matches!(&*name, "dc" | "acquire" | "release"));
    // There may not be more than so many of everything.
    status == StatusCode::SERVICE_UNAVAILABLE || status == StatusCode::INTERNAL_SERVER_ERROR && is_named
}
