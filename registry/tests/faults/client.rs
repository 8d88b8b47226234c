//! Calls over one connection, which is made anew when it breaks.

#![expect(clippy::unwrap_used, reason = "what helps a test fails as a test does")]

use std::net::SocketAddr;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::{Method, Request, StatusCode, header};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use mainstay_contracts::Call;
use mainstay_contracts::registry::{
    BeatLease, Deregister, Deregistered, HOLD_LEASE, HoldFrame, LeaseId, List, Listing, Register, Registered, WATCH,
    WatchFrame,
};
use mainstay_contracts::wire::{self, Encoded};
use serde::de::DeserializeOwned;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsConnector;

use crate::process::SOON;

/// A registration of the first incarnation of an instance.
pub(crate) fn registration(id: &str, port: u16, lease: Option<&LeaseId>) -> Register {
    let json = format!(r#"{{"service":"ratings","id":"{id}","address":"127.0.0.1:{port}","incarnation":1}}"#);
    Register { lease: lease.cloned(), ..serde_json::from_str(&json).unwrap() }
}

pub(crate) struct Client {
    pub(crate) address: SocketAddr,
    tls: Option<TlsConnector>,
    sender: Option<SendRequest<Full<Bytes>>>,
}

/// A stream of frames.
pub(crate) struct Frames {
    body: Incoming,
    rest: BytesMut,
}

impl Client {
    pub(crate) fn new(address: SocketAddr) -> Self {
        Self { address, tls: None, sender: None }
    }

    /// The same, over TLS.
    #[cfg(feature = "etcd")]
    pub(crate) fn over(self, tls: TlsConnector) -> Self {
        Self { tls: Some(tls), ..self }
    }

    /// One call, tried once: the registry's answer, or nothing if it is not to be had.
    pub(crate) async fn ask<C: Call>(&mut self, call: &C) -> Option<Result<C::Response, StatusCode>> {
        let (status, body) = self.whole(C::METHOD, wire::encode(call).unwrap()).await?;
        Some(if status.is_success() { Ok(serde_json::from_slice(&body).unwrap()) } else { Err(status) })
    }

    /// As [`ask`](Self::ask) for what is refused: why.
    pub(crate) async fn refused<C: Call>(&mut self, call: &C) -> Option<(StatusCode, String)> {
        let (status, body) = self.whole(C::METHOD, wire::encode(call).unwrap()).await?;
        Some((status, String::from_utf8(body.to_vec()).unwrap()))
    }

    /// What is not a call.
    pub(crate) async fn text(&mut self, path: &str) -> Option<String> {
        let (_, body) = self.whole(Method::GET, Encoded { target: path.to_owned(), body: None }).await?;
        Some(String::from_utf8(body.to_vec()).unwrap())
    }

    async fn whole(&mut self, method: Method, encoded: Encoded) -> Option<(StatusCode, Bytes)> {
        let answer = self.send(method, encoded).await?;
        let status = answer.status();
        Some((status, timeout(SOON, answer.into_body().collect()).await.ok()?.ok()?.to_bytes()))
    }

    pub(crate) async fn register(&mut self, call: &Register) -> Option<Registered> {
        self.ask(call).await.map(|answer| answer.unwrap_or_else(|status| panic!("{}: {status}", call.id)))
    }

    /// As [`ask`](Self::ask), again and again until it is answered and somebody can do it.
    pub(crate) async fn insist<C: Call>(&mut self, call: &C) -> Result<C::Response, StatusCode> {
        let asked = async {
            loop {
                match self.ask(call).await {
                    None | Some(Err(StatusCode::SERVICE_UNAVAILABLE)) => sleep(Duration::from_millis(20)).await,
                    Some(answer) => break answer,
                }
            }
        };
        timeout(SOON, asked).await.expect("it is done")
    }

    /// What is answered to a put that is no call, if it is a success.
    pub(crate) async fn put(&mut self, target: &str, value: &str) -> Option<String> {
        let encoded = Encoded { target: target.to_owned(), body: Some(value.as_bytes().to_vec()) };
        let (status, body) = self.whole(Method::PUT, encoded).await?;
        status.is_success().then(|| String::from_utf8(body.to_vec()).unwrap())
    }

    /// As [`put`](Self::put), of something that is to go.
    pub(crate) async fn delete(&mut self, target: &str) -> Option<String> {
        let encoded = Encoded { target: target.to_owned(), body: None };
        let (status, body) = self.whole(Method::DELETE, encoded).await?;
        status.is_success().then(|| String::from_utf8(body.to_vec()).unwrap())
    }

    /// Says that an instance leaves. Said before it may have been heard, though it was not answered.
    pub(crate) async fn deregister(&mut self, call: &Deregister) -> Option<Option<Deregistered>> {
        match self.ask(call).await? {
            Ok(answer) => Some(Some(answer)),
            Err(StatusCode::NOT_FOUND) => Some(None),
            Err(status) => panic!("{}: {status}", call.id),
        }
    }

    pub(crate) async fn beat(&mut self, lease: &LeaseId) -> Option<StatusCode> {
        let answer = self.ask(&BeatLease { lease: lease.clone() }).await?;
        Some(answer.map_or_else(|status| status, |_| StatusCode::OK))
    }

    /// The list, however long it takes until there is a registry.
    pub(crate) async fn list(&mut self, service: &str) -> Listing {
        let call = List { service: service.to_owned() };
        let asked = async {
            loop {
                if let Some(Ok(listing)) = self.ask(&call).await {
                    break listing;
                }
                sleep(Duration::from_millis(5)).await;
            }
        };
        timeout(SOON, asked).await.expect("it answers")
    }

    pub(crate) async fn watch(&mut self, seen: Option<(u64, u64)>) -> Option<Frames> {
        let mut target = WATCH.replace("{service}", "ratings");
        if let Some((epoch, revision)) = seen {
            target = format!("{target}?epoch={epoch}&revision={revision}");
        }
        self.stream(Method::GET, Encoded { target, body: None }).await
    }

    pub(crate) async fn hold(&mut self, lease: &LeaseId) -> Option<Frames> {
        let target = HOLD_LEASE.replace("{lease}", lease.as_str());
        let mut frames = self.stream(Method::POST, Encoded { target, body: Some(b"{}".to_vec()) }).await?;
        assert!(matches!(frames.next().await?, HoldFrame::Lease { .. }));
        Some(frames)
    }

    async fn stream(&mut self, method: Method, encoded: Encoded) -> Option<Frames> {
        let answer = self.send(method, encoded).await?;
        // One of several may be behind the others, or cut off from them.
        if answer.status() == StatusCode::SERVICE_UNAVAILABLE {
            return None;
        }
        assert_eq!(answer.status(), StatusCode::OK);
        // The connection is the stream's.
        self.sender = None;
        Some(Frames { body: answer.into_body(), rest: BytesMut::new() })
    }

    async fn send(&mut self, method: Method, encoded: Encoded) -> Option<http::Response<Incoming>> {
        if self.sender.as_ref().is_none_or(SendRequest::is_closed) {
            let stream = TcpStream::connect(self.address).await.ok()?;
            stream.set_nodelay(true).ok()?;
            self.sender = Some(match &self.tls {
                None => sender(stream).await?,
                Some(tls) => sender(tls.connect(self.address.ip().into(), stream).await.ok()?).await?,
            });
        }
        let body = Full::new(Bytes::from(encoded.body.unwrap_or_default()));
        let request = Request::builder().method(method).uri(encoded.target).header(header::HOST, "registry");
        let request = request.body(body).unwrap();
        let sender = self.sender.as_mut()?;
        // The answer before may have been read before the connection has noticed that it is over.
        let answered = async {
            sender.ready().await?;
            sender.send_request(request).await
        };
        timeout(SOON, answered).await.ok()?.ok()
    }
}

async fn sender(stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static) -> Option<SendRequest<Full<Bytes>>> {
    let (sender, connection) = handshake(TokioIo::new(stream)).await.ok()?;
    tokio::spawn(connection);
    Some(sender)
}

impl Frames {
    /// The next frame; nothing when the stream has ended.
    pub(crate) async fn next<F: DeserializeOwned>(&mut self) -> Option<F> {
        loop {
            if let Some(end) = self.rest.iter().position(|byte| *byte == b'\n') {
                return Some(serde_json::from_slice(&self.rest.split_to(end + 1)).unwrap());
            }
            let frame = self.body.frame().await?.ok()?;
            self.rest.extend_from_slice(frame.data_ref().map_or(&[][..], |data| data));
        }
    }

    /// As [`next`](Self::next) of a watch.
    pub(crate) async fn change(&mut self) -> Option<WatchFrame> {
        self.next().await
    }
}
