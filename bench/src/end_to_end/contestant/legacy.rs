//! hyper-util's pooling client, and a counter that takes the instances in turn. It has no timeout of its own.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use http::{Request, Uri};
use http_body_util::Empty;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use mainstay::contracts::ratings::Rating;

use super::{Failed, PATH, read};
use crate::end_to_end::work::Caller;

pub(crate) type HttpClient = Client<HttpConnector, Empty<Bytes>>;

pub(crate) fn http_client() -> HttpClient {
    Client::builder(TokioExecutor::new()).build_http()
}

pub(crate) fn uris(addresses: &[SocketAddr]) -> Result<Vec<Uri>, Failed> {
    addresses.iter().map(|address| Ok(format!("http://{address}{PATH}").parse()?)).collect()
}

/// Shared by the tasks.
pub(crate) struct RoundRobin<T> {
    next: AtomicUsize,
    all: Vec<T>,
}

impl<T> RoundRobin<T> {
    pub(crate) fn over(all: Vec<T>) -> Arc<Self> {
        Arc::new(Self { next: AtomicUsize::new(0), all })
    }

    pub(crate) fn next(&self) -> &T {
        &self.all[self.next.fetch_add(1, Ordering::Relaxed) % self.all.len()]
    }
}

pub(crate) struct Legacy {
    client: HttpClient,
    uris: Arc<RoundRobin<Uri>>,
}

pub(crate) fn callers(addresses: &[SocketAddr], tasks: usize) -> Result<Vec<Legacy>, Failed> {
    let (client, uris) = (http_client(), RoundRobin::over(uris(addresses)?));
    Ok((0..tasks).map(|_| Legacy { client: client.clone(), uris: uris.clone() }).collect())
}

impl Caller for Legacy {
    async fn call(&mut self) -> Result<Rating, Failed> {
        let mut request = Request::new(Empty::new());
        *request.uri_mut() = self.uris.next().clone();
        read(self.client.request(request).await?).await
    }
}
