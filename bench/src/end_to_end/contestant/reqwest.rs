//! reqwest, and reqwest with its retry middleware.

use std::net::SocketAddr;
use std::sync::Arc;

use mainstay::contracts::ratings::Rating;
use reqwest::{Client, Url};
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware};
use reqwest_retry::RetryTransientMiddleware;
use reqwest_retry::policies::ExponentialBackoff;

use super::legacy::RoundRobin;
use super::{DEADLINE, Failed, PATH};
use crate::end_to_end::work::Caller;

/// As in the middleware's documentation.
const RETRIES: u32 = 3;

pub(crate) struct Plain {
    client: Client,
    urls: Arc<RoundRobin<Url>>,
}

pub(crate) fn callers(addresses: &[SocketAddr], tasks: usize) -> Result<Vec<Plain>, Failed> {
    let (client, urls) = (client()?, urls(addresses)?);
    Ok((0..tasks).map(|_| Plain { client: client.clone(), urls: urls.clone() }).collect())
}

impl Caller for Plain {
    async fn call(&mut self) -> Result<Rating, Failed> {
        Ok(self.client.get(self.urls.next().clone()).send().await?.error_for_status()?.json().await?)
    }
}

pub(crate) struct Retrying {
    client: ClientWithMiddleware,
    urls: Arc<RoundRobin<Url>>,
}

pub(crate) fn retrying_callers(addresses: &[SocketAddr], tasks: usize) -> Result<Vec<Retrying>, Failed> {
    let retry = ExponentialBackoff::builder().build_with_max_retries(RETRIES);
    let retry = RetryTransientMiddleware::new_with_policy(retry);
    let (client, urls) = (ClientBuilder::new(client()?).with(retry).build(), urls(addresses)?);
    Ok((0..tasks).map(|_| Retrying { client: client.clone(), urls: urls.clone() }).collect())
}

impl Caller for Retrying {
    async fn call(&mut self) -> Result<Rating, Failed> {
        Ok(self.client.get(self.urls.next().clone()).send().await?.error_for_status()?.json().await?)
    }
}

fn client() -> Result<Client, Failed> {
    Ok(Client::builder().timeout(DEADLINE).build()?)
}

fn urls(addresses: &[SocketAddr]) -> Result<Arc<RoundRobin<Url>>, Failed> {
    let urls = addresses.iter().map(|address| Url::parse(&format!("http://{address}{PATH}")));
    Ok(RoundRobin::over(urls.collect::<Result<_, _>>()?))
}
