//! A connection to the registry that one task calls over: hyper's own, so that the client costs little.

use std::net::SocketAddr;

use bytes::Bytes;
use http::header::HOST;
use http::{HeaderValue, Request, StatusCode, Uri};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use mainstay::contracts::{Call, wire};
use tokio::net::TcpStream;

use crate::Failed;

#[derive(Debug)]
pub(crate) struct Connection {
    sender: SendRequest<Full<Bytes>>,
    host: HeaderValue,
}

impl Connection {
    pub(crate) async fn open(address: SocketAddr) -> Result<Self, Failed> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let (sender, connection) = handshake(TokioIo::new(stream)).await?;
        // It ends with its sender.
        tokio::spawn(connection);
        Ok(Self { sender, host: address.to_string().parse()? })
    }

    pub(crate) async fn several(address: SocketAddr, count: u16) -> Result<Vec<Self>, Failed> {
        let mut connections = Vec::new();
        for _ in 0..count {
            connections.push(Self::open(address).await?);
        }
        Ok(connections)
    }

    pub(crate) async fn call<C: Call>(&mut self, call: &C) -> Result<C::Response, Failed> {
        let encoded = wire::encode(call)?;
        self.sender.ready().await?;
        let mut request = Request::new(Full::from(encoded.body.unwrap_or_default()));
        *request.method_mut() = C::METHOD;
        *request.uri_mut() = Uri::try_from(encoded.target)?;
        request.headers_mut().insert(HOST, self.host.clone());
        let answer = self.sender.send_request(request).await?;
        let status = answer.status();
        let body = answer.into_body().collect().await?.to_bytes();
        if status != StatusCode::OK {
            return Err(format!("{} {}: {status}: {}", C::METHOD, C::ROUTE, String::from_utf8_lossy(&body)).into());
        }
        Ok(serde_json::from_slice(&body)?)
    }
}
