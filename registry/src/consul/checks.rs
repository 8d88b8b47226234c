//! Checks come and go, and their processes say how they are.

use axum::body::Body;
use axum::response::{IntoResponse, Response};

use super::answer::No;
use super::asked::Asked;
use super::body::Fields;
use super::definition;
use crate::roster::Status;

pub(super) async fn register(asked: Asked, body: Body) -> Result<Response, No> {
    asked.knows(&[])?;
    let (service, check) = definition::check_of_service(Fields::of_body(&asked.body(body).await?)?)?;
    asked.directory.add_check(asked.rights, service, check).await?;
    Ok(().into_response())
}

pub(super) async fn deregister(asked: Asked) -> Result<Response, No> {
    asked.knows(&[])?;
    asked.directory.drop_check(asked.rights, asked.about).await?;
    Ok(().into_response())
}

pub(super) async fn pass(asked: Asked) -> Result<Response, No> {
    say(asked, Status::Passing).await
}

pub(super) async fn warn(asked: Asked) -> Result<Response, No> {
    say(asked, Status::Warning).await
}

pub(super) async fn fail(asked: Asked) -> Result<Response, No> {
    say(asked, Status::Critical).await
}

async fn say(asked: Asked, status: Status) -> Result<Response, No> {
    asked.knows(&["note"])?;
    let output = definition::output(asked.text("note").unwrap_or_default());
    asked.directory.hear_check(asked.rights, asked.about, status, output).await?;
    Ok(().into_response())
}

pub(super) async fn update(asked: Asked, body: Body) -> Result<Response, No> {
    asked.knows(&[])?;
    let mut fields = Fields::of_body(&asked.body(body).await?)?;
    let status: Option<String> = fields.take("Status")?;
    let output: String = fields.take("Output")?.unwrap_or_default();
    fields.end()?;
    let status = definition::status(&status.unwrap_or_default())?;
    asked.directory.hear_check(asked.rights, asked.about, status, definition::output(&output)).await?;
    Ok(().into_response())
}
