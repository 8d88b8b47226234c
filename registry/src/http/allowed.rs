//! Who may ask what, before anything is done.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use http::{HeaderMap, Method, StatusCode, Uri};

use super::denied::Denied;
use crate::Rights;
use crate::directory::Directory;

/// What stands before the name of a service: in the native protocol, and in Consul's.
const SERVICES: [&str; 5] = [
    "/v1/services/",
    "/v1/health/service/",
    "/v1/health/checks/",
    "/v1/catalog/service/",
    "/v1/agent/health/service/name/",
];

/// Lets through who may. What the path says is looked at here; handlers whose calls name services in their bodies find
/// the [`Rights`] among the request's extensions.
pub(super) async fn allowed(State(directory): State<Arc<Directory>>, mut request: Request, next: Next) -> Response {
    if is_forged(&request, directory.config().access.is_none()) {
        let reason = "a page of another site has no business here";
        return Denied::new(StatusCode::FORBIDDEN, reason).into_response();
    }
    let rights = match &directory.config().access {
        None => Rights::all(),
        Some(access) => {
            let token = token(request.headers()).or_else(|| token_in(request.uri().query()?));
            let Some(rights) = access.rights(token.as_deref()) else {
                return unauthorized("this token is none of those that are known");
            };
            if let Err(reason) = check(&rights, request.method(), request.uri().path()) {
                return match token {
                    None => unauthorized(&format!("{reason}; show a token: Authorization: Bearer TOKEN")),
                    Some(_) => Denied::new(StatusCode::FORBIDDEN, reason).into_response(),
                };
            }
            rights
        }
    };
    request.extensions_mut().insert(rights);
    next.run(request).await
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

fn unauthorized(reason: &str) -> Response {
    let denied = Denied::new(StatusCode::UNAUTHORIZED, reason);
    ([(WWW_AUTHENTICATE, "Bearer")], denied).into_response()
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

fn check(rights: &Rights, method: &Method, path: &str) -> Result<(), String> {
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
        None => (rights.may_read(""), "read all services".to_owned()),
    };
    if may { Ok(()) } else { Err(format!("you may not {what}")) }
}

/// The service that a path is about, if it says that.
fn service(path: &str) -> Option<&str> {
    let rest = SERVICES.iter().find_map(|beginning| path.strip_prefix(beginning))?;
    rest.split('/').next().filter(|service| !service.is_empty())
}
