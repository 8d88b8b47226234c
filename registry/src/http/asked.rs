//! A request as the call it is.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{FromRequest, FromRequestParts, RawPathParams, Request};
use bytes::{Bytes, BytesMut};
use http::{Method, StatusCode};
use http_body_util::BodyExt;
use mainstay_contracts::registry::check_service_name;
use mainstay_contracts::wire;
use serde::de::DeserializeOwned;
use tokio::time::timeout;

use super::denied::Denied;
use crate::directory::Directory;

/// How much of a body that is too large is read and thrown away. A client that is still sending when its
/// connection closes loses the answer that says what was wrong.
const DISCARD: usize = 16 * 1024 * 1024;

/// The call that a request makes, decoded as the contract encodes it.
#[derive(Debug)]
pub(super) struct Asked<C>(pub(super) C);

impl<C: DeserializeOwned> FromRequest<Arc<Directory>> for Asked<C> {
    type Rejection = Denied;

    async fn from_request(request: Request, directory: &Arc<Directory>) -> Result<Self, Denied> {
        let (mut parts, body) = request.into_parts();
        let params = RawPathParams::from_request_parts(&mut parts, &()).await.map_err(|error| Denied::bad(&error))?;
        let params = params.iter().collect::<Vec<_>>();
        if let Some((_, service)) = params.iter().find(|(name, _)| *name == "service") {
            check_service_name(service).map_err(|error| Denied::bad(&error))?;
        }
        let call = if matches!(parts.method, Method::GET | Method::HEAD | Method::DELETE) {
            wire::from_query(&params, parts.uri.query())
        } else {
            let limits = &directory.config().limits;
            let body = self::body(body, limits.body, limits.body_time).await?;
            wire::from_body(&params, &body)
        };
        call.map(Asked).map_err(|error| Denied::bad(&error))
    }
}

/// A request's body, of at most so many bytes, that comes within a time.
pub(crate) async fn body(body: Body, most: usize, within: Duration) -> Result<Bytes, Denied> {
    let read = timeout(within, read(body, most)).await;
    read.map_err(|_| Denied::new(StatusCode::REQUEST_TIMEOUT, format!("the body took more than {within:?}")))?
}

async fn read(mut body: Body, most: usize) -> Result<Bytes, Denied> {
    let (mut bytes, mut length) = (BytesMut::new(), 0);
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| Denied::bad(&"the body broke off"))?;
        let Ok(data) = frame.into_data() else { continue };
        length += data.len();
        if length <= most {
            bytes.extend_from_slice(&data);
        } else if length > DISCARD {
            break;
        }
    }
    if length > most {
        return Err(Denied::new(StatusCode::PAYLOAD_TOO_LARGE, format!("the body is longer than {most} bytes")));
    }
    Ok(bytes.freeze())
}
