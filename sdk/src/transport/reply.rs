//! What an instance answers.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::header::RETRY_AFTER;
use http::{HeaderValue, Response, StatusCode};
use hyper::body::{Body, Incoming};

use super::Broken;
use super::connection::Connection;

/// A whole answer.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) retry_after: Option<Duration>,
    pub(crate) body: Bytes,
}

/// What comes before a body, as far as it is of interest: the headers of an answer are a lot to carry around.
#[derive(Debug)]
pub(super) struct Head {
    pub(super) status: StatusCode,
    retry_after: Option<Duration>,
}

impl Head {
    pub(super) fn split(response: Response<Incoming>) -> (Self, Incoming) {
        let status = response.status();
        let retry_after = match status.is_success() {
            true => None,
            false => response.headers().get(RETRY_AFTER).and_then(seconds),
        };
        (Self { status, retry_after }, response.into_body())
    }

    /// Reads the body, which may have so many bytes.
    pub(super) async fn read(self, body: Incoming, connection: &mut Connection, limit: usize) -> Result<Reply, Broken> {
        let Self { status, retry_after } = self;
        let body = whole(connection, body, limit).await?;
        // These say that there is nothing (RFC 9110, 15.3.5 and 15.3.6), and nothing is null. From any other status,
        // an empty body is a broken one.
        let nothing = matches!(status, StatusCode::NO_CONTENT | StatusCode::RESET_CONTENT) && body.is_empty();
        let body = if nothing { Bytes::from_static(b"null") } else { body };
        Ok(Reply { status, retry_after, body })
    }
}

/// Most bodies are one frame, which stays where it was read.
async fn whole(connection: &mut Connection, mut body: Incoming, limit: usize) -> Result<Bytes, Broken> {
    let mut whole = Bytes::new();
    while !body.is_end_stream()
        && let Some(frame) = connection.frame(&mut body).await
    {
        let Ok(data) = frame.map_err(Broken::Connection)?.into_data() else { continue };
        if whole.len() + data.len() > limit {
            return Err(Broken::TooLarge(limit));
        }
        whole = match whole.is_empty() {
            true => data,
            false => {
                let mut longer = BytesMut::from(whole);
                longer.extend_from_slice(&data);
                longer.freeze()
            }
        };
    }
    Ok(whole)
}

/// `Retry-After` in seconds; a date is not understood and ignored.
fn seconds(value: &HeaderValue) -> Option<Duration> {
    value.to_str().ok()?.trim().parse().ok().map(Duration::from_secs)
}
