//! One HTTP/1.1 connection, driven by whoever uses it.
//!
//! hyper's connection is a future that somebody has to poll. In a task of its own, as is usual, every call wakes that
//! task twice and is woken by it twice, from another thread at worst. Here the call polls the connection itself: what
//! is between it and the socket runs where the call runs, and ends when the call is dropped. What hyper hands over
//! through its channels is then there as soon as the connection was polled, so that looking for it needs no waker.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue};
use http_body_util::Full;
use hyper::body::{Body, Frame, Incoming};
use hyper::client::conn::http1::{self, SendRequest};
use mainstay_contracts::Address;
use tokio::runtime::{self, Handle};
use tokio::task::coop::unconstrained;
use tokio::time::Instant;

use super::limit::Limit;
use super::outgoing::headers;
use super::reply::Head;
use super::socket::Socket;
use super::user::User;
use super::{Broken, Outgoing};

pub(super) type Payload = Full<Bytes>;

#[derive(Debug)]
pub(super) struct Connection {
    sender: SendRequest<Payload>,
    driver: Driver,
    limit: Limit,
    /// Whose reactor wakes it.
    runtime: runtime::Id,
    /// Of every request: its headers, and what stands before its target.
    headers: HeaderMap,
    path: Box<str>,
}

impl Connection {
    pub(super) async fn new(
        socket: Socket,
        address: &Address,
        authorization: Option<&HeaderValue>,
    ) -> hyper::Result<Box<Self>> {
        let (sender, driver) = http1::handshake(socket).await?;
        let (mut headers, path) = (headers(address.authority()), address.path().into());
        headers.extend(authorization.map(|token| (AUTHORIZATION, token.clone())));
        let (driver, runtime) = (Driver::new(driver), Handle::current().id());
        let limit = Limit::new(Arc::clone(&driver.user));
        Ok(Box::new(Self { sender, driver, limit, runtime, headers, path }))
    }

    /// Sends a request and waits for the head of its answer.
    ///
    /// Once this is dropped, the connection is of no more use.
    ///
    /// If there is a limit, it is one for the rest of the exchange.
    ///
    /// Written at once, or when all others that are ready have had their turn: requests that leave together wake the
    /// other side once, and are answered together.
    pub(super) async fn send(
        &mut self,
        request: &Outgoing,
        mut after_others: bool,
        limit: Option<Instant>,
    ) -> Result<(Head, Incoming), Unanswered> {
        self.limit.set(limit);
        let request = request.to_request(self.headers.clone(), &self.path);
        // Without a waker nobody would come back to an answer that was passed over because this task's time is up.
        let mut answer = pin!(unconstrained(self.sender.try_send_request(request)));
        poll_fn(|cx| {
            if std::mem::take(&mut after_others) {
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            self.driver.drive(cx);
            match answer.as_mut().poll(&mut looking()) {
                Poll::Ready(Ok(response)) => Poll::Ready(Ok(Head::split(response))),
                Poll::Ready(Err(error)) => {
                    let unsent = error.message().is_some();
                    Poll::Ready(Err(Unanswered { unsent, why: Broken::Connection(error.into_error()) }))
                }
                Poll::Pending if self.limit.is_over() => {
                    Poll::Ready(Err(Unanswered { unsent: false, why: Broken::TimedOut }))
                }
                Poll::Pending => Poll::Pending,
            }
        })
        .await
    }

    /// The next part of an answer's body.
    pub(super) fn poll_frame(
        &mut self,
        body: &mut Incoming,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        // Taking a part wakes whoever drives, to read the next one: this is who does.
        self.driver.user.leaves();
        let mut look = || Pin::new(&mut *body).poll_frame(&mut looking()).map_err(Broken::Connection);
        let mut frame = look();
        if frame.is_pending() {
            self.driver.drive(cx);
            frame = look();
        }
        match frame {
            Poll::Pending if self.limit.is_over() => Poll::Ready(Some(Err(Broken::TimedOut))),
            frame => frame,
        }
    }

    /// Leaves the connection to whoever uses it next. Is there anything to leave?
    pub(super) fn rest(&mut self) -> bool {
        self.driver.user.leaves();
        self.driver.connection.is_some() && self.sender.is_ready()
    }

    /// Is it woken in this runtime? Another one may not be running.
    pub(super) fn is_of(&self, runtime: runtime::Id) -> bool {
        self.runtime == runtime
    }

    /// Has nobody closed it, as far as can be told?
    pub(super) fn is_open(&mut self) -> bool {
        self.driver.drive(&mut looking());
        self.driver.connection.is_some()
    }
}

/// Why a request has no answer, and whether nothing of it has left.
#[derive(Debug)]
pub(super) struct Unanswered {
    pub(super) why: Broken,
    pub(super) unsent: bool,
}

/// What has to be polled, and wakes whoever uses it now. Its waker is always the same one: between calls nobody is
/// woken, and hyper and the socket need not be told of another one with every call.
#[derive(Debug)]
struct Driver {
    /// Until it is over; whoever then still waits for something of it is told.
    connection: Option<http1::Connection<Socket, Payload>>,
    user: Arc<User>,
    waker: Waker,
}

impl Driver {
    fn new(connection: http1::Connection<Socket, Payload>) -> Self {
        let user = Arc::new(User::default());
        Self { connection: Some(connection), waker: Arc::clone(&user).into(), user }
    }

    fn drive(&mut self, cx: &mut Context<'_>) {
        self.user.comes(cx.waker());
        if let Some(connection) = &mut self.connection
            && Pin::new(connection).poll(&mut Context::from_waker(&self.waker)).is_ready()
        {
            self.connection = None;
        }
    }
}

/// Looks only, and is not woken.
fn looking() -> Context<'static> {
    Context::from_waker(Waker::noop())
}
