//! hyper-util's pooling client, and a counter that takes the instances in turn. It has no timeout of its own.

use std::iter;
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

use super::{read, say};
use crate::Failed;
use crate::end_to_end::work::Caller;

pub(crate) type HttpClient = Client<HttpConnector, Empty<Bytes>>;

pub(crate) fn http_client() -> HttpClient {
    Client::builder(TokioExecutor::new()).build_http()
}

/// The instances' authorities in turn, shared by the tasks.
pub(crate) struct RoundRobin {
    next: AtomicUsize,
    all: Vec<String>,
}

impl RoundRobin {
    pub(crate) fn over(addresses: &[SocketAddr]) -> Arc<Self> {
        let all = addresses.iter().map(ToString::to_string).collect();
        Arc::new(Self { next: AtomicUsize::new(0), all })
    }

    /// Of the thing's rating, at the next instance.
    pub(crate) fn next_url(&self, thing: &str) -> String {
        let authority = &self.all[self.next.fetch_add(1, Ordering::Relaxed) % self.all.len()];
        format!("http://{authority}/ratings/{thing}")
    }
}

pub(crate) struct Legacy {
    client: HttpClient,
    instances: Arc<RoundRobin>,
}

pub(crate) fn callers(addresses: &[SocketAddr], tasks: usize) -> Vec<Legacy> {
    let (client, instances) = (http_client(), RoundRobin::over(addresses));
    let caller = || Legacy { client: client.clone(), instances: instances.clone() };
    iter::repeat_with(caller).take(tasks).collect()
}

impl Caller for Legacy {
    async fn call(&mut self, thing: &str) -> Result<Rating, Failed> {
        let mut request = Request::new(Empty::new());
        *request.uri_mut() = Uri::try_from(self.instances.next_url(thing))?;
        // A copy of what is said would have to grow for the host, which the client puts in: it costs more.
        say(request.headers_mut());
        read(self.client.request(request).await?).await
    }
}
