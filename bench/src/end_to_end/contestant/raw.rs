//! A connection of hyper's for each task, its own task spawned as hyper's documentation shows. Nothing balances,
//! nothing times out, nothing is shared: what any client over hyper can reach at most.

use std::net::SocketAddr;

use bytes::Bytes;
use http::header::HOST;
use http::{HeaderMap, Request, Uri};
use http_body_util::Empty;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use mainstay::contracts::ratings::Rating;
use tokio::net::TcpStream;

use super::{read, say};
use crate::Failed;
use crate::end_to_end::work::Caller;

pub(crate) struct Raw {
    sender: SendRequest<Empty<Bytes>>,
    headers: HeaderMap,
}

/// Their connections take the addresses in turn.
pub(crate) async fn callers(addresses: &[SocketAddr], tasks: usize) -> Result<Vec<Raw>, Failed> {
    let mut callers = Vec::new();
    for address in addresses.iter().cycle().take(tasks) {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let (sender, connection) = handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        let mut headers = HeaderMap::new();
        say(&mut headers);
        headers.insert(HOST, address.to_string().parse()?);
        callers.push(Raw { sender, headers });
    }
    Ok(callers)
}

impl Caller for Raw {
    async fn call(&mut self, thing: &str) -> Result<Rating, Failed> {
        self.sender.ready().await?;
        let mut request = Request::new(Empty::new());
        *request.uri_mut() = Uri::try_from(format!("/ratings/{thing}"))?;
        *request.headers_mut() = self.headers.clone();
        read(self.sender.send_request(request).await?).await
    }
}
