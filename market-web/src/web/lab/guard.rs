//! Who may press the demo's buttons: people on this machine, from this page, and their programs.
//!
//! A server on loopback is reached by every page in the browser beside it. A foreign page shows in `Origin`
//! and `Sec-Fetch-Site`, which pages cannot forge; a foreign name that was made to mean this machine shows in
//! `Host`. Programs such as curl send neither of the first two, and the right `Host`.

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::header::{self, HeaderMap, HeaderName};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

use crate::web::Refused;

const NAMES: [&str; 3] = ["127.0.0.1", "localhost", "[::1]"];
const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Refuses whoever is not at home here.
pub(in crate::web) async fn guard(State(port): State<u16>, request: Request, next: Next) -> Response {
    // A target in absolute form outranks the Host header (RFC 9112, 3.2.2), and no program of ours sends one.
    if request.uri().authority().is_some() {
        return Refused::new(StatusCode::BAD_REQUEST, "the lab takes targets that are a path").into_response();
    }
    match check(request.headers(), port) {
        Ok(()) => next.run(request).await,
        Err(reason) => Refused::new(StatusCode::FORBIDDEN, reason).into_response(),
    }
}

fn check(headers: &HeaderMap, port: u16) -> Result<(), &'static str> {
    let ours = |host: &str| NAMES.iter().any(|name| host == format!("{name}:{port}"));
    let host = only(headers, &header::HOST).flatten();
    let Some(host) = host.filter(|host| ours(host)) else {
        return Err("the lab answers only on this machine's own name");
    };
    let same_origin = match only(headers, &header::ORIGIN) {
        None => true,
        Some(origin) => origin == Some(&format!("http://{host}")),
    };
    let same_site = match only(headers, &SEC_FETCH_SITE) {
        None => true,
        Some(site) => matches!(site, Some("same-origin" | "none")),
    };
    if same_origin && same_site { Ok(()) } else { Err("the lab takes no request from another site") }
}

/// The header's value, if it is there: `Some(None)` when it is there twice or is not text.
fn only<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<Option<&'a str>> {
    let mut values = headers.get_all(name).iter();
    let first = values.next()?;
    Some(if values.next().is_none() { first.to_str().ok() } else { None })
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn allowed(sent: &[(&'static str, &'static str)]) -> bool {
        let mut headers = HeaderMap::new();
        for (name, value) in sent {
            headers.append(*name, HeaderValue::from_static(value));
        }
        check(&headers, 5000).is_ok()
    }

    #[test]
    fn programs_and_our_own_page_are_served() {
        assert!(allowed(&[("host", "127.0.0.1:5000")]));
        assert!(allowed(&[("host", "localhost:5000")]));
        assert!(allowed(&[("host", "[::1]:5000")]));
        let page = [("host", "localhost:5000"), ("origin", "http://localhost:5000"), ("sec-fetch-site", "same-origin")];
        assert!(allowed(&page));
        assert!(allowed(&[("host", "127.0.0.1:5000"), ("sec-fetch-site", "none")]));
    }

    #[test]
    fn foreign_names_and_foreign_pages_are_refused() {
        for host in ["evil.example:5000", "127.0.0.1", "127.0.0.1:5001", "127.0.0.1:5000.evil.example", ""] {
            assert!(!allowed(&[("host", host)]), "{host}");
        }
        assert!(!allowed(&[]));
        assert!(!allowed(&[("host", "127.0.0.1:5000"), ("host", "evil.example")]));
        for origin in ["http://evil.example", "null", "http://localhost:5000", "https://127.0.0.1:5000", ""] {
            assert!(!allowed(&[("host", "127.0.0.1:5000"), ("origin", origin)]), "{origin}");
        }
        for site in ["cross-site", "same-site", "", "Same-Origin"] {
            assert!(!allowed(&[("host", "127.0.0.1:5000"), ("sec-fetch-site", site)]), "{site}");
        }
    }
}
