//! Requests that the writer has to answer, passed on to it.

use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::header::{ACCEPT, AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, HeaderName, HeaderValue};
use http::{HeaderMap, Method, StatusCode};
use http_body_util::Full;
use mainstay_contracts::registry::Look;
use mainstay_contracts::{Address, Call};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::hold;
use super::link::{self, SECRET};
use super::replicas::{Replicas, Writes};
use crate::consul::{KNOWN_LEADER, LAST_CONTACT};
use crate::directory::{Directory, PassedOn};
use crate::http::{Denied, Grant, HOLD_NUMBER, body, stands};

/// How long the writer may take to answer: longer than it waits for a change to be safe.
const ANSWER: Duration = Duration::from_secs(7);
/// How long, where an answer may be waited for: longer than a drain, and than a blocking query.
const LATE: Duration = Duration::from_secs(11 * 60);
/// What of a request's head the writer needs.
const HEADERS: [HeaderName; 4] = [ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderName::from_static("x-consul-token")];

/// Lets requests through that are answered here, and passes the others on.
pub(crate) async fn pass_on(State(directory): State<Arc<Directory>>, mut request: Request, next: Next) -> Response {
    let Some(replicas) = directory.replicas() else { return next.run(request).await };
    if is_answered_by_all(request.method(), request.uri().path()) {
        return aged(replicas, next.run(request).await);
    }
    let is_passed_on = replicas.link.knows(request.headers().get(SECRET));
    match replicas.writes() {
        Writes::Here => {
            if is_passed_on {
                request.extensions_mut().insert(PassedOn);
            }
            let answer = next.run(request).await;
            // What changed nothing was not kept, and whoever was stopped meanwhile does not know better.
            if replicas.writes_here() {
                return answer;
            }
            unavailable("this replica does not write any more; it may yet be done")
        }
        // Whoever passed it on knows less, or more, than this one: it is not passed on in circles.
        Writes::There(writer, _) if is_passed_on => {
            unavailable(&format!("{} does not write: {writer} does", replicas.address))
        }
        Writes::There(writer, turn) => passed(&directory, replicas, (&writer, turn), request).await,
        // Who looks at a registry that is not well is not sent away.
        Writes::Nobody(_) if is_a_look(request.method(), request.uri().path()) => next.run(request).await,
        Writes::Nobody(why) => unavailable(&why),
    }
}

/// Is it the page, or what operators are told?
fn is_a_look(method: &Method, path: &str) -> bool {
    let is_one = path.starts_with("/v1/services/") && path.ends_with("/inspect");
    matches!(*method, Method::GET | Method::HEAD) && (is_one || matches!(path, "/" | "/live" | Look::ROUTE))
}

/// Is it a list, or what every replica knows of itself?
fn is_answered_by_all(method: &Method, path: &str) -> bool {
    if !matches!(*method, Method::GET | Method::HEAD) {
        return false;
    }
    let is_list = |rest: &str| match rest.split_once('/') {
        Some((_, what)) => what == "watch",
        None => true,
    };
    match path {
        "/health" | "/metrics" | "/v1/openapi.json" | "/v1/prometheus" | "/v1/services" => true,
        _ if path.starts_with("/v1/services/") => path.strip_prefix("/v1/services/").is_some_and(is_list),
        _ => ["/v1/health/", "/v1/catalog/", "/v1/status/"].iter().any(|begin| path.starts_with(begin)),
    }
}

async fn passed(
    directory: &Arc<Directory>,
    replicas: &Arc<Replicas>,
    (writer, turn): (&Address, CancellationToken),
    request: Request,
) -> Response {
    let (mut parts, body) = request.into_parts();
    let granted = parts.extensions.remove::<Grant>().map(Extension);
    let limits = &directory.config().limits;
    let most = limits.body.max(limits.kv.value);
    let body = match self::body(body, most, limits.body_time).await {
        Ok(body) => body,
        Err(denied) => return denied.into_response(),
    };
    let (path, query) = (parts.uri.path(), parts.uri.query().unwrap_or_default());
    let drains = path.starts_with("/v1/services/") && path.ends_with("/drain");
    let waits = drains || query.split('&').any(|pair| pair.starts_with("index="));
    let mut onward = http::Request::new(Full::new(body));
    (*onward.method_mut(), *onward.uri_mut()) = (parts.method.clone(), parts.uri.clone());
    copy(&parts.headers, onward.headers_mut());
    let answer = timeout(if waits { LATE } else { ANSWER }, replicas.link.send(writer, onward));
    let answer = match turn.run_until_cancelled(answer).await {
        Some(Ok(Ok(answer))) => answer,
        Some(Ok(Err(why))) => {
            return unavailable(&format!("{writer}, which writes, cannot be reached from here: {why}"));
        }
        Some(Err(_)) => return unavailable(&format!("{writer}, which writes, does not answer")),
        None => return unavailable(&format!("{writer} does not write any more; it may yet be done")),
    };
    let number = answer.headers().get(HOLD_NUMBER).and_then(|number| number.to_str().ok()?.parse().ok());
    match number.filter(|_| answer.status().is_success()) {
        Some(number) => {
            let headers = [(CONTENT_TYPE, "application/x-ndjson"), (CACHE_CONTROL, "no-store")];
            let lines = hold::Passed::new(Arc::clone(directory), Arc::clone(replicas), (writer.clone(), turn), number);
            (headers, Body::from_stream(lines.lines(answer.into_body(), stands(granted)))).into_response()
        }
        None => link::passed(answer, turn),
    }
}

/// Says of a list for Consul's clients how old it may be, where that is too old to be new.
fn aged(replicas: &Replicas, mut answer: Response) -> Response {
    if let Some(silence) = replicas.cut_off()
        && let Some(known) = answer.headers_mut().get_mut(KNOWN_LEADER)
    {
        *known = HeaderValue::from_static("false");
        let silence = u64::try_from(silence.as_millis()).unwrap_or(u64::MAX);
        answer.headers_mut().insert(LAST_CONTACT, silence.into());
    }
    answer
}

fn copy(from: &HeaderMap, to: &mut HeaderMap) {
    for name in HEADERS {
        if let Some(value) = from.get(&name) {
            to.insert(name, value.clone());
        }
    }
}

fn unavailable(why: &str) -> Response {
    Denied::new(StatusCode::SERVICE_UNAVAILABLE, why).into_response()
}
