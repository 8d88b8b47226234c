//! Which page an address means: that of the instances of the service that `for` names.

use axum::extract::Query;
use axum::extract::rejection::QueryRejection;
use axum::http::StatusCode;
use serde::Deserialize;

use super::Refused;
use crate::tab::Tab;

/// What the address says, and nothing else.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ShownOn {
    #[serde(rename = "for")]
    name: Option<String>,
}

pub(super) type Shown = Result<Query<ShownOn>, QueryRejection>;

/// The page, or the usual one when the address says nothing.
pub(super) fn read(shown: Shown, usual: Tab) -> Result<Tab, Refused> {
    let Query(ShownOn { name }) = shown.map_err(|bad| Refused::new(StatusCode::BAD_REQUEST, bad.body_text()))?;
    named(name.as_deref(), usual)
}

/// The page of this name, or the usual one.
pub(super) fn named(name: Option<&str>, usual: Tab) -> Result<Tab, Refused> {
    let Some(name) = name else { return Ok(usual) };
    Tab::named(name).ok_or_else(|| {
        let names = Tab::ALL.map(|tab| tab.kind.name).join(", ");
        Refused::new(StatusCode::BAD_REQUEST, format!("for is one of {names}"))
    })
}
