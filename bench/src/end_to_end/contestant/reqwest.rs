//! reqwest, and reqwest with its retry middleware.

use std::net::SocketAddr;
use std::sync::Arc;

use http::HeaderMap;
use mainstay::contracts::ratings::Rating;
use reqwest::Client;
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware};
use reqwest_retry::RetryTransientMiddleware;
use reqwest_retry::policies::ExponentialBackoff;

use super::legacy::RoundRobin;
use super::{DEADLINE, Failed, say};
use crate::end_to_end::work::Caller;

/// As in the middleware's documentation.
const RETRIES: u32 = 3;

pub(crate) struct Plain {
    client: Client,
    instances: Arc<RoundRobin>,
}

pub(crate) fn callers(addresses: &[SocketAddr], tasks: usize) -> Result<Vec<Plain>, Failed> {
    let (client, instances) = (client()?, RoundRobin::over(addresses));
    Ok((0..tasks).map(|_| Plain { client: client.clone(), instances: instances.clone() }).collect())
}

impl Caller for Plain {
    async fn call(&mut self, thing: &str) -> Result<Rating, Failed> {
        let url = self.instances.next_url(thing);
        Ok(self.client.get(url).send().await?.error_for_status()?.json().await?)
    }
}

pub(crate) struct Retrying {
    client: ClientWithMiddleware,
    instances: Arc<RoundRobin>,
}

pub(crate) fn retrying_callers(addresses: &[SocketAddr], tasks: usize) -> Result<Vec<Retrying>, Failed> {
    let retry = ExponentialBackoff::builder().build_with_max_retries(RETRIES);
    let retry = RetryTransientMiddleware::new_with_policy(retry);
    let (client, instances) = (ClientBuilder::new(client()?).with(retry).build(), RoundRobin::over(addresses));
    Ok((0..tasks).map(|_| Retrying { client: client.clone(), instances: instances.clone() }).collect())
}

impl Caller for Retrying {
    async fn call(&mut self, thing: &str) -> Result<Rating, Failed> {
        let url = self.instances.next_url(thing);
        Ok(self.client.get(url).send().await?.error_for_status()?.json().await?)
    }
}

fn client() -> Result<Client, Failed> {
    let mut headers = HeaderMap::new();
    say(&mut headers);
    Ok(Client::builder().default_headers(headers).timeout(DEADLINE).build()?)
}
