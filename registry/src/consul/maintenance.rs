//! A service asks for no calls for a while.

use axum::response::{IntoResponse, Response};

use super::answer::No;
use super::asked::Asked;

const REASON: usize = 1024;

pub(super) async fn service(asked: Asked) -> Result<Response, No> {
    asked.knows(&["enable", "reason"])?;
    if asked.text("enable").is_none_or(str::is_empty) {
        return Err(No::bad("Missing value for enable"));
    }
    let reason = asked.text("reason").unwrap_or_default();
    if reason.len() > REASON {
        return Err(No::bad(format!("reason is longer than {REASON} bytes")));
    }
    let why = asked.flag("enable")?.then(|| reason.to_owned());
    let named = asked.instance()?;
    asked.directory.maintain(asked.rights, named, why).await?;
    Ok(().into_response())
}

pub(super) async fn node(asked: Asked) -> No {
    if let Err(no) = asked.knows(&["enable", "reason"]) {
        return no;
    }
    No::bad(
        "there is one node, which everybody is on: its maintenance would take every service away; see \
         /v1/agent/service/maintenance for that of one",
    )
}
