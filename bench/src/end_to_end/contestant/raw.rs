//! A connection of hyper's for each task, its own task spawned as hyper's documentation shows. Nothing balances,
//! nothing times out, nothing is shared: what any client over hyper can reach at most.

use std::net::SocketAddr;

use bytes::Bytes;
use http::header::HOST;
use http::{HeaderValue, Request, Uri};
use http_body_util::Empty;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use mainstay::contracts::ratings::Rating;
use tokio::net::TcpStream;

use super::{Failed, PATH, read};
use crate::end_to_end::work::Caller;

pub(crate) struct Raw {
    sender: SendRequest<Empty<Bytes>>,
    host: HeaderValue,
    path: Uri,
}

/// Their connections take the addresses in turn.
pub(crate) async fn callers(addresses: &[SocketAddr], tasks: usize) -> Result<Vec<Raw>, Failed> {
    let mut callers = Vec::new();
    for address in addresses.iter().cycle().take(tasks) {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let (sender, connection) = handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        callers.push(Raw { sender, host: address.to_string().parse()?, path: Uri::from_static(PATH) });
    }
    Ok(callers)
}

impl Caller for Raw {
    async fn call(&mut self) -> Result<Rating, Failed> {
        self.sender.ready().await?;
        let mut request = Request::new(Empty::new());
        *request.uri_mut() = self.path.clone();
        request.headers_mut().insert(HOST, self.host.clone());
        read(self.sender.send_request(request).await?).await
    }
}
