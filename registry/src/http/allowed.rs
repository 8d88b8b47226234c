//! Who may ask what, before anything is done.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use http::{HeaderMap, StatusCode, Uri};

use super::denied::Denied;
use super::grant::Grant;
use crate::Rights;
use crate::directory::Directory;

/// Lets through who may. What the path says is looked at here; handlers whose calls name services in their bodies, or list
/// them, find the [`Rights`] among the request's extensions, and those whose answers go on the [`Grant`], if there are tokens.
pub(super) async fn allowed(State(directory): State<Arc<Directory>>, mut request: Request, next: Next) -> Response {
    if is_forged(&request, directory.config().access.is_none()) {
        let reason = "a page of another site has no business here";
        return Denied::new(StatusCode::FORBIDDEN, reason).into_response();
    }
    let Some(access) = &directory.config().access else {
        request.extensions_mut().insert(Rights::all());
        return next.run(request).await;
    };
    let token = token(request.headers()).or_else(|| token_in(request.uri().query()?));
    let grant = Grant::new(access, token, request.method(), request.uri());
    let rights = match grant.rights() {
        Ok(rights) => rights,
        Err(denied) => return refuse(denied),
    };
    let before = request.method().is_safe().then(|| rights.clone());
    request.extensions_mut().insert(rights);
    request.extensions_mut().insert(grant.clone());
    // What changes something may be half done.
    let Some(before) = before else { return next.run(request).await };
    tokio::select! {
        biased;
        answer = next.run(request) => answer,
        denied = grant.changed(before) => refuse(denied),
    }
}

/// Browsers say of what a page asks for whether it asks for its own site, and which that is. Programs say nothing. Where
/// no token is asked for, the page of a named site is refused too: its name may have been made to mean this machine.
fn is_forged(request: &Request, is_open: bool) -> bool {
    if request.method().is_safe() {
        return false;
    }
    let text = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
    let site = text("sec-fetch-site").is_some_and(|site| !matches!(site, "same-origin" | "none"));
    let origin = text("origin").and_then(|origin| origin.parse::<Uri>().ok());
    let is_here = |host: &str| host == "localhost" || host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok();
    site || is_open && text("origin").is_some() && !origin.and_then(|uri| uri.host().map(is_here)).unwrap_or(false)
}

fn refuse(denied: Denied) -> Response {
    match denied.status {
        StatusCode::UNAUTHORIZED => ([(WWW_AUTHENTICATE, "Bearer")], denied).into_response(),
        _ => denied.into_response(),
    }
}

/// The token as our clients show it, or as Consul's do.
fn token(headers: &HeaderMap) -> Option<String> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let bearer = text(AUTHORIZATION.as_str()).and_then(|value| value.split_once(' '));
    let bearer = bearer.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer")).map(|(_, token)| token.trim());
    bearer.or_else(|| text("x-consul-token")).filter(|token| !token.is_empty()).map(str::to_owned)
}

/// The token as Consul's older clients show it.
fn token_in(query: &str) -> Option<String> {
    let mut pairs = form_urlencoded::parse(query.as_bytes());
    pairs.find(|(name, value)| name == "token" && !value.is_empty()).map(|(_, token)| token.into_owned())
}
