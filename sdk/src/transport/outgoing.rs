//! What is sent to an instance.

use std::error::Error as StdError;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_LENGTH, CONTENT_TYPE, HOST, USER_AGENT};
use http::{HeaderMap, HeaderValue, Method, Request, Uri};
use http_body_util::Full;
use mainstay_contracts::wire::Encoded;

/// The largest answer to a request of our own, such as a probe.
const OWN_LIMIT: usize = 1024 * 1024;
const JSON: HeaderValue = HeaderValue::from_static("application/json");
const NO_BYTES: HeaderValue = HeaderValue::from_static("0");
/// The longest path and query: most servers take a quarter of it, and with the path of an address it is still a Uri.
const TARGET_LIMIT: usize = 32 * 1024;

/// The headers of every request to `host`. Put together once: a copy costs a third of that.
pub(super) fn headers(host: &str) -> HeaderMap {
    let mut headers = HeaderMap::with_capacity(4);
    // Always a value: what an address accepts is one.
    headers.extend(HeaderValue::from_str(host).map(|host| (HOST, host)));
    headers.insert(ACCEPT, JSON);
    headers.insert(USER_AGENT, HeaderValue::from_static("mainstay"));
    headers
}

/// A path and query that cannot be asked for.
#[derive(Debug)]
pub(crate) enum BadTarget {
    TooLong,
    Uri(http::uri::InvalidUri),
}

impl fmt::Display for BadTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong => write!(f, "path and query are longer than {TARGET_LIMIT} bytes"),
            Self::Uri(_) => f.write_str("path and query are no Uri"),
        }
    }
}

impl StdError for BadTarget {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            Self::TooLong => None,
            Self::Uri(error) => Some(error),
        }
    }
}

/// A request that may be sent more than once.
#[derive(Debug)]
pub(crate) struct Outgoing {
    pub(crate) method: Method,
    pub(crate) target: Uri,
    pub(crate) body: Option<Bytes>,
    /// May it be sent again when it is not known what became of it?
    pub(crate) repeatable: bool,
    /// The largest answer that is read, in bytes.
    pub(crate) limit: usize,
    /// May any byte of it have left, in any attempt?
    pub(crate) sent: AtomicBool,
}

impl Outgoing {
    pub(crate) fn new(method: Method, encoded: Encoded, repeatable: bool) -> Result<Self, BadTarget> {
        if encoded.target.len() > TARGET_LIMIT {
            return Err(BadTarget::TooLong);
        }
        let target = Uri::try_from(encoded.target).map_err(BadTarget::Uri)?;
        let (body, sent) = (encoded.body.map(Bytes::from), AtomicBool::new(false));
        Ok(Self { method, target, body, repeatable, limit: OWN_LIMIT, sent })
    }

    /// The same, to be sent to another instance by itself.
    pub(crate) fn another(&self) -> Self {
        let Self { method, target, body, repeatable, limit, .. } = self;
        let (method, target, body) = (method.clone(), target.clone(), body.clone());
        Self { method, target, body, repeatable: *repeatable, limit: *limit, sent: AtomicBool::new(false) }
    }

    pub(crate) fn was_sent(&self) -> bool {
        self.sent.load(Ordering::Relaxed)
    }

    pub(crate) fn get(path: &str) -> Result<Self, BadTarget> {
        Self::new(Method::GET, Encoded { target: path.to_owned(), body: None }, true)
    }

    /// What is asked for.
    pub(crate) fn path_and_query(&self) -> &str {
        self.target.path_and_query().map_or("", |target| target.as_str())
    }

    /// The request with these headers, below this path.
    pub(super) fn to_request(&self, headers: HeaderMap, path: &str) -> Request<Full<Bytes>> {
        let mut request = Request::new(Full::new(self.body.clone().unwrap_or_default()));
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = if path.is_empty() { self.target.clone() } else { self.below(path) };
        *request.headers_mut() = headers;
        match self.body.as_deref() {
            // Where a body is usual, there are those who want to be told that there is none.
            Some([]) => request.headers_mut().insert(CONTENT_LENGTH, NO_BYTES),
            Some(_) => request.headers_mut().insert(CONTENT_TYPE, JSON),
            None => None,
        };
        request
    }

    /// The target below an address's path; the route `/` is the path itself.
    fn below(&self, path: &str) -> Uri {
        let target = self.path_and_query();
        let rest = target.strip_prefix('/').filter(|rest| rest.is_empty() || rest.starts_with('?'));
        // Two valid parts are a valid whole, as together they are never longer than a Uri may be.
        Uri::try_from(format!("{path}{}", rest.unwrap_or(target))).unwrap_or_else(|_| self.target.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_stands_below_the_path_of_its_address() {
        for (path, target, whole) in [
            ("/bidders/bidder1", "/", "/bidders/bidder1"),
            ("/bidders/bidder1", "/?detail=true", "/bidders/bidder1?detail=true"),
            ("/bidders/bidder1", "/health", "/bidders/bidder1/health"),
            ("/x", "/ratings/a%2Fb?c=d", "/x/ratings/a%2Fb?c=d"),
        ] {
            assert_eq!(Outgoing::get(target).unwrap().below(path), whole, "{target}");
        }
        let long = |length: usize| Outgoing::get(&format!("/{}", "x".repeat(length)));
        assert!(long(TARGET_LIMIT).is_err());
        let longest = long(TARGET_LIMIT - 1).unwrap();
        assert_eq!(longest.below(&"/y".repeat(140)).path().len(), TARGET_LIMIT + 280);
    }
}
