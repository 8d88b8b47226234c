//! Services come and go.

use axum::body::Body;
use axum::response::{IntoResponse, Response};

use super::answer::No;
use super::asked::Asked;
use super::body::Fields;
use super::definition;

pub(super) async fn register(asked: Asked, body: Body) -> Result<Response, No> {
    asked.knows(&["replace-existing-checks"])?;
    let replace = asked.flag("replace-existing-checks")?;
    let enlist =
        definition::service(Fields::of_body(&asked.body(body).await?)?, &asked.directory.config().consul, replace)?;
    asked.directory.enlist(asked.rights, enlist).await?;
    Ok(().into_response())
}

pub(super) async fn deregister(asked: Asked) -> Result<Response, No> {
    asked.knows(&[])?;
    let named = asked.instance()?;
    asked.directory.delist(asked.rights, named).await?;
    Ok(().into_response())
}
