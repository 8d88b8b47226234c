//! One HTTP/1.1 connection, driven by whoever uses it.
//!
//! hyper's connection is a future that somebody has to poll. In a task of its own, as is usual, every call wakes that
//! task twice and is woken by it twice, from another thread at worst. Here the call polls the connection itself: what
//! is between it and the socket runs where the call runs, and ends when the call is dropped. What hyper hands over
//! through its channels is then there as soon as the connection was polled, so that looking for it needs no waker.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body_util::Full;
use hyper::body::{Body, Frame, Incoming};
use hyper::client::conn::TrySendError;
use hyper::client::conn::http1::{self, SendRequest};
use tokio::task::coop::unconstrained;

use super::Outgoing;
use super::socket::Socket;

pub(super) type Payload = Full<Bytes>;

#[derive(Debug)]
pub(super) struct Connection {
    sender: SendRequest<Payload>,
    /// Until it is over.
    driver: Option<http1::Connection<Socket, Payload>>,
    /// Of every request.
    headers: HeaderMap,
}

impl Connection {
    pub(super) async fn new(socket: Socket, headers: HeaderMap) -> hyper::Result<Box<Self>> {
        let (sender, driver) = http1::handshake(socket).await?;
        Ok(Box::new(Self { sender, driver: Some(driver), headers }))
    }

    /// Sends a request and waits for the head of its answer. The error holds the request if nothing of it was sent.
    ///
    /// Once dropped, the connection is of no more use.
    pub(super) async fn send(
        &mut self,
        request: &Outgoing,
        path: &str,
    ) -> Result<Response<Incoming>, TrySendError<Request<Payload>>> {
        let request = request.to_request(self.headers.clone(), path);
        // Without a waker nobody would come back to an answer that was passed over because this task's time is up.
        let mut answer = pin!(unconstrained(self.sender.try_send_request(request)));
        poll_fn(|cx| {
            drive(&mut self.driver, cx);
            answer.as_mut().poll(&mut looking())
        })
        .await
    }

    /// The next part of an answer's body.
    ///
    /// Cancel safe.
    pub(super) async fn frame(&mut self, body: &mut Incoming) -> Option<hyper::Result<Frame<Bytes>>> {
        poll_fn(|cx| {
            if let Poll::Ready(frame) = Pin::new(&mut *body).poll_frame(&mut looking()) {
                return Poll::Ready(frame);
            }
            drive(&mut self.driver, cx);
            Pin::new(&mut *body).poll_frame(&mut looking())
        })
        .await
    }

    /// May it carry another request, as far as can be told? Leaves nobody behind whom it would wake.
    pub(super) fn is_usable(&mut self) -> bool {
        drive(&mut self.driver, &mut looking());
        self.driver.is_some() && self.sender.is_ready()
    }
}

/// A connection that is over is dropped: whoever still waits for something of it is then told.
fn drive(driver: &mut Option<http1::Connection<Socket, Payload>>, cx: &mut Context<'_>) {
    if let Some(connection) = driver
        && Pin::new(connection).poll(cx).is_ready()
    {
        *driver = None;
    }
}

/// Looks only, and is not woken.
fn looking() -> Context<'static> {
    Context::from_waker(Waker::noop())
}
