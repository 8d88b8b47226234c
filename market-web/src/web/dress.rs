//! What all responses have in common: their headers, and a page instead of JSON where people read it.

use askama::Template;
use axum::extract::Request;
use axum::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::{Html, IntoResponse as _, Response};

use super::Refused;
use crate::view::Missing;

/// Everything a page needs comes from here, and no other page may put it in a frame.
///
/// The referrer stays within the site; none at all would make browsers send `Origin: null` with our own forms.
const HEADERS: [(HeaderName, &str); 4] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'",
    ),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "same-origin"),
    (header::CACHE_CONTROL, "no-store"),
];

/// Adds the headers, and turns a refusal into a page for whoever wants one.
pub(super) async fn dress(request: Request, next: Next) -> Response {
    let for_people = wants_page(request.uri().path(), request.headers());
    let mut response = next.run(request).await;
    if for_people && let Some(refused) = response.extensions().get::<Refused>().cloned() {
        response = page(&refused, response);
    }
    for (name, value) in HEADERS {
        response.headers_mut().entry(name).or_insert(HeaderValue::from_static(value));
    }
    response
}

fn page(refused: &Refused, plain: Response) -> Response {
    let missing = Missing { status: refused.status.as_u16(), reason: &refused.reason };
    let Ok(html) = missing.render() else { return plain };
    let mut page = (refused.status, Html(html)).into_response();
    if let Some(allow) = plain.headers().get(header::ALLOW) {
        page.headers_mut().insert(header::ALLOW, allow.clone());
    }
    page
}

/// The shop's addresses are for people unless JSON is preferred; the lab's are for programs unless HTML is; the
/// others are for programs.
fn wants_page(path: &str, headers: &HeaderMap) -> bool {
    let accept = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
    let (html, json) = (accept.find("text/html"), accept.find("application/json"));
    match path.split('/').nth(1).unwrap_or_default() {
        "api" | "events" | "thing" => false,
        "lab" => html.is_some(),
        _ => match (html, json) {
            (Some(html), Some(json)) => html < json,
            (_, json) => json.is_none(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_get_a_page_and_programs_get_json() {
        let browser = "text/html,application/xhtml+xml,*/*;q=0.8";
        for (path, accept, page) in [
            ("/nowhere", "", true),
            ("/nowhere", "*/*", true),
            ("/nowhere", browser, true),
            ("/nowhere", "application/json", false),
            ("/nowhere", "application/json, text/html", false),
            ("/nowhere", "text/html, application/json", true),
            ("/api/nowhere", browser, false),
            ("/thing/x", browser, false),
            ("/lab/nowhere", "*/*", false),
            ("/lab/nowhere", browser, true),
        ] {
            let headers = HeaderMap::from_iter([(header::ACCEPT, HeaderValue::from_static(accept))]);
            assert_eq!(wants_page(path, &headers), page, "{path} {accept:?}");
        }
    }
}
