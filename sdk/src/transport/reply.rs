//! What an instance answers.

use std::future::poll_fn;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::header::RETRY_AFTER;
use http::{HeaderValue, Response, StatusCode};
use hyper::body::{Body, Frame, Incoming};

use super::Broken;

/// How the next part of a body is had: whoever drives its connection knows.
pub(super) trait PollFrame:
    FnMut(&mut Incoming, &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Broken>>>
{
}

impl<F> PollFrame for F where F: FnMut(&mut Incoming, &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {}

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
    pub(super) async fn read(self, body: Incoming, limit: usize, frame: impl PollFrame) -> Result<Reply, Broken> {
        let Self { status, retry_after } = self;
        let body = whole(body, limit, frame).await?;
        // These say that there is nothing (RFC 9110, 15.3.5 and 15.3.6), and nothing is null. From any other status,
        // an empty body is a broken one.
        let nothing = matches!(status, StatusCode::NO_CONTENT | StatusCode::RESET_CONTENT) && body.is_empty();
        let body = if nothing { Bytes::from_static(b"null") } else { body };
        Ok(Reply { status, retry_after, body })
    }
}

/// Most bodies are one frame, which stays where it was read.
async fn whole(mut body: Incoming, limit: usize, mut frame: impl PollFrame) -> Result<Bytes, Broken> {
    let mut whole = Bytes::new();
    while !body.is_end_stream()
        && let Some(frame) = poll_fn(|cx| frame(&mut body, cx)).await
    {
        let Ok(data) = frame?.into_data() else { continue };
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
